# Made from ktl/_async by docs/generate; changes belong there.
"""HTTP with a few tries, and refusals as exceptions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any, TypeVar, cast
from uuid import uuid4

import httpx

from ..answer import ApiAnswer, read
from ..errors import Unreachable, accepted, retry_after, said
from ..places import LOOPBACK, address_of, headers_with

Kind = TypeVar("Kind")

LISTING = {"data", "has_more", "next"}
WAITS_SECONDS = (0.1, 0.2, 0.4, 0.8)  # between the tries of a call that may be repeated


class Transport:
    """One connection pool to one API."""

    def __init__(self, url: str, api_key: str | None) -> None:
        address = address_of(url)
        self.url = str(address)
        self.http = httpx.Client(
            base_url=self.url,
            headers=headers_with(api_key, address),
            timeout=httpx.Timeout(60, connect=5),
            # A proxy of the environment cannot reach this machine's own loopback address.
            trust_env=address.host not in LOOPBACK,
            verify=address.scheme == "https",  # else the certificates would be read for nothing
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
                sleep(wait)
                continue
            if response.status_code != 503:
                return accepted(response)
            sleep(max(wait, retry_after(response)))
        try:
            return accepted(self.http.request(method, path, **request))
        except httpx.TransportError as error:
            raise Unreachable(self.url, error) from error

    def ask(self, kind: type[Kind], method: str, path: str, **request: Any) -> Kind:
        """Calls, and reads the answer, which has this form."""
        response = self.call(method, path, **request)
        try:
            return read(kind, response.content)
        except ValueError as error:
            raise Unreachable(self.url, said(response)) from error

    def begin(self, kind: type[Kind], path: str, **request: Any) -> Kind:
        """Asks for something new, with a key by which a second try makes no second one."""
        headers = {"Idempotency-Key": uuid4().hex} | request.pop("headers", {})
        return self.ask(kind, "POST", path, headers=headers, **request)

    def pages(self, kind: type[Kind], path: str, **filters: Any) -> Iterator[Kind]:
        """Every item of a list; pages are fetched as they are needed."""
        params = {"limit": 100} | {n: value for n, value in filters.items() if value is not None}
        while True:
            page = self.ask(ApiAnswer, "GET", path, params=params)
            if not page.keys() >= LISTING:
                raise Unreachable(self.url, "expected a list of ktl's API, got other JSON")
            for item in page["data"]:
                yield cast(Kind, item)
            if not page["has_more"]:
                return
            params["after"] = page["next"]

    @contextmanager
    def stream(self, path: str, **request: Any) -> Iterator[httpx.Response]:
        """An answer that is read as it comes."""
        try:
            with self.http.stream("GET", path, **request) as response:
                if not response.is_success:
                    response.read()
                yield accepted(response)
        except httpx.TransportError as error:
            raise Unreachable(self.url, error) from error

    def download(self, path: str, target: str | Path, **request: Any) -> Path:
        """Writes the answer at `target`, whole or not at all."""
        target = Path(target)
        partial = target.with_name(f"{target.name}.{uuid4().hex}.partial")
        try:
            with self.stream(path, **request) as response:
                if response.headers.get("content-type", "").startswith("text/html"):
                    response.read()
                    raise Unreachable(self.url, said(response))
                with partial.open("wb") as file:
                    for piece in response.iter_bytes():
                        file.write(piece)
            return partial.replace(target)
        except OSError as error:
            error.filename, error.filename2 = str(target), None  # the name that was asked for
            raise
        finally:
            partial.unlink(missing_ok=True)
