"""Checks before a route reads its body: the key, then the size, then one reading of JSON.

FastAPI reads a body first and asks for the key afterwards. Every router of ours has this class of
routes (tests/contract/test_bodies.py looks).
"""

from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from app.access.authentication import Authenticator, Scope
from app.access.caller import Caller
from app.errors import LONGEST_NAME, Finding, Invalid, TooLarge
from app.json_text import decode, text_fault

LIMIT_BYTES = 2**20  # no JSON needs more; uploads and predictions have limits of their own
MOST_DIGITS = 20  # of a length that is read
LARGE_BYTES = 2**16  # a body of this size takes milliseconds to read
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


BEARER = Depends(HTTPBearer(auto_error=False, description="A key, `ktl_…`"))  # for OpenAPI


@dataclass(frozen=True)
class Needs:
    """A dependency: the caller, who holds `scope`; GuardedRoute admits it before any body."""

    scope: Scope

    async def admit(self, request: Request) -> None:
        """Raises Unauthorized or Forbidden."""
        authenticator: Authenticator = request.app.state.authenticator
        caller = await authenticator.caller(request.headers.get("authorization"))
        caller.require(self.scope)
        request.state.caller = caller

    async def __call__(self, request: Request, _: object = BEARER) -> Caller:
        return cast(Caller, request.state.caller)


class BoundedRequest(Request):
    """Reads no more than it may. Routes that take `stream()` have limits of their own."""

    @property
    def limit_bytes(self) -> int:
        return LIMIT_BYTES

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            limit = self.limit_bytes
            declared = self.headers.get("content-length", "")
            if declared.isdecimal() and int(declared[:MOST_DIGITS]) > limit:
                raise _too_large(limit)
            received = bytearray()
            async for chunk in self.stream():
                received += chunk
                if len(received) > limit:
                    raise _too_large(limit)
            self._body = bytes(received)
        return self._body

    async def json(self) -> Any:
        body = await self.body()
        read = self.decoded
        return read(body) if len(body) <= LARGE_BYTES else await run_in_threadpool(read, body)

    def decoded(self, body: bytes) -> Any:
        """Raises BadRequest or Invalid."""
        return decode(body)


class GuardedRoute(APIRoute):
    """Admits the caller before the first byte of a body is asked for."""

    request_class: ClassVar[type[BoundedRequest]] = BoundedRequest

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        asked = tuple(_every(self.dependant))
        needed = {each.call for each in asked if isinstance(each.call, Needs)}
        known = {field.alias for each in asked for field in each.query_params}

        async def guarded(request: Request) -> Response:
            for needs in needed:
                await needs.admit(request)
            _check_parameters(request, known)
            return await handle(self.request_class(request.scope, request.receive))

        return guarded


def _every(dependant: Dependant) -> Iterator[Dependant]:
    """The route and all that it asks for."""
    yield dependant
    for dependency in dependant.dependencies:
        yield from _every(dependency)


def _check_parameters(request: Request, known: set[str]) -> None:
    """A query is as a body: what is not known in it is a typing error. Percent-encoded, it and a
    path can say NUL."""
    check_query(request.query_params, known)
    for name, value in (*request.path_params.items(), *request.query_params.multi_items()):
        if fault := text_fault(str(value)):
            raise _invalid("invalid_value", f"`{name}`: {fault}", name)


def check_query(names: Iterable[str], known: set[str]) -> None:
    """Raises Invalid for the first name of a query that is not known."""
    for name in names:
        if name not in known:
            detail = f"expected {_listed(known)}, got another parameter in the query"
            raise _invalid("unknown_parameter", detail, name)


def _invalid(code: str, detail: str, name: str) -> Invalid:
    return Invalid(code, detail, Finding(detail, parameter=name[:LONGEST_NAME]))


def _listed(names: set[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "no query"


def _too_large(limit: int) -> TooLarge:
    detail = f"expected a body of at most {limit} bytes, got more"
    return TooLarge("body_too_large", detail)
