"""Actions on resources: `POST …/{id}/cancel`, and `POST …/{id}:cancel` as other services write it.

Both forms answer alike; the one with the slash is documented.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter

Route = TypeVar("Route", bound=Callable[..., Any])


def post_action(router: APIRouter, path: str, **options: Any) -> Callable[[Route], Route]:
    """`router.post` for an action; the last part of `path` is its name."""
    resource, _, action = path.rpartition("/")

    def register(route: Route) -> Route:
        router.post(f"{resource}:{action}", include_in_schema=False, **options)(route)
        router.post(path, **options)(route)
        return route

    return register
