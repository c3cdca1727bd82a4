"""HTTP with a few tries, and refusals as exceptions."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx
from pydantic import BaseModel

from app.client.api_error import ApiError, Unreachable

WAITS_SECONDS = (0.1, 0.2, 0.4, 0.8)  # between the tries of a call that may be repeated
LONGEST_RETRY_AFTER_SECONDS = 5.0
Answer = TypeVar("Answer", bound=BaseModel)

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Transport:
    def __init__(self, url: str, api_key: str | None) -> None:
        self.url = _with_scheme(url.rstrip("/"))
        parts = urlsplit(self.url)
        self.http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(60, connect=5),
            # A proxy of the environment cannot reach this machine's own loopback address.
            trust_env=parts.hostname not in LOOPBACK,
            verify=parts.scheme == "https",  # else the certificates would be read for nothing
        )

    def call(
        self, method: str, path: str, *, repeatable: bool | None = None, **request: Any
    ) -> httpx.Response:
        """Repeats GET, PUT, DELETE and what is said to be `repeatable` after a connection that
        failed or a 503. Raises ApiError and Unreachable."""
        if repeatable is None:
            repeatable = method in {"GET", "PUT", "DELETE"}
        for wait in WAITS_SECONDS if repeatable else ():
            try:
                response = self.http.request(method, path, **request)
            except httpx.TransportError:
                time.sleep(wait)
                continue
            if response.status_code != 503:
                return accepted(response)
            time.sleep(max(wait, _retry_after(response)))
        try:
            return accepted(self.http.request(method, path, **request))
        except httpx.TransportError as error:
            raise Unreachable(self.url, error) from error

    def ask(self, answer: type[Answer], method: str, path: str, **request: Any) -> Answer:
        """A call whose answer has this form."""
        return answer.model_validate_json(self.call(method, path, **request).content)

    def pages(self, item: type[Answer], path: str, **filters: Any) -> Iterator[Answer]:
        """Every item of a list; pages are fetched as they are needed."""
        params = {"limit": 100} | {n: value for n, value in filters.items() if value is not None}
        while True:
            page = self.call("GET", path, params=params).json()
            yield from (item.model_validate(each) for each in page["data"])
            if not page["has_more"]:
                return
            params["after"] = page["next"]

    @contextmanager
    def stream(self, path: str, **request: Any) -> Iterator[httpx.Response]:
        try:
            with self.http.stream("GET", path, **request) as response:
                if not response.is_success:
                    response.read()
                yield accepted(response)
        except httpx.TransportError as error:
            raise Unreachable(self.url, error) from error

    def download(self, path: str, target: Path, **request: Any) -> Path:
        """Writes the answer at `target`, whole or not at all."""
        partial = target.with_name(f"{target.name}.{uuid4().hex}.partial")
        try:
            with self.stream(path, **request) as response, partial.open("wb") as file:
                for piece in response.iter_bytes():
                    file.write(piece)
            return partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def path_to(resource: str, reference: str, *below: str) -> str:
    """`/v1/datasets/my%20letters/audit`: a name may have any character."""
    return "/".join([f"/v1/{resource}", quote(reference, safe=""), *below])


def accepted(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    raise ApiError.of(response)


def _retry_after(response: httpx.Response) -> float:
    value = response.headers.get("retry-after", "0")
    return min(float(value), LONGEST_RETRY_AFTER_SECONDS) if value.isdigit() else 0.0


def _with_scheme(url: str) -> str:
    """`localhost:8000` as people write it: http on this machine, https elsewhere."""
    if "://" in url or not url:
        return url
    is_here = (urlsplit(f"//{url}").hostname or "") in LOOPBACK
    return f"{'http' if is_here else 'https'}://{url}"
