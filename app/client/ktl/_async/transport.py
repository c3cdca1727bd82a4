"""HTTP with a few tries, and refusals as exceptions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import uuid4

import httpx
from anyio import sleep

from ..answer import ApiAnswer, read
from ..errors import Unreachable, accepted, retry_after, said
from ..places import LOOPBACK, address_of, headers_with

Kind = TypeVar("Kind")

LISTING = {"data", "has_more", "next"}
WAITS_SECONDS = (0.1, 0.2, 0.4, 0.8)  # between the tries of a call that may be repeated


class AsyncTransport:
    """One connection pool to one API."""

    def __init__(self, url: str, api_key: str | None) -> None:
        address = address_of(url)
        self.url = str(address)
        self.http = httpx.AsyncClient(
            base_url=self.url,
            headers=headers_with(api_key, address),
            timeout=httpx.Timeout(60, connect=5),
            # A proxy of the environment cannot reach this machine's own loopback address.
            trust_env=address.host not in LOOPBACK,
            verify=address.scheme == "https",  # else the certificates would be read for nothing
        )

    async def call(
        self, method: str, path: str, *, repeatable: bool | None = None, **request: Any
    ) -> httpx.Response:
        """Repeats GET, PUT, DELETE and what is said to be `repeatable` after a connection that
        failed or a 503. Raises ApiError and Unreachable."""
        if repeatable is None:
            repeatable = method in {"GET", "PUT", "DELETE"}
        for wait in WAITS_SECONDS if repeatable else ():
            try:
                response = await self.http.request(method, path, **request)
            except httpx.TransportError:
                await sleep(wait)
                continue
            if response.status_code != 503:
                return accepted(response)
            await sleep(max(wait, retry_after(response)))
        try:
            return accepted(await self.http.request(method, path, **request))
        except httpx.TransportError as error:
            raise Unreachable(self.url, error) from error

    async def ask(self, kind: type[Kind], method: str, path: str, **request: Any) -> Kind:
        """Calls, and reads the answer, which has this form."""
        response = await self.call(method, path, **request)
        try:
            return read(kind, response.content)
        except ValueError as error:
            raise Unreachable(self.url, said(response)) from error

    async def begin(self, kind: type[Kind], path: str, **request: Any) -> Kind:
        """Asks for something new, with a key by which a second try makes no second one."""
        headers = {"Idempotency-Key": uuid4().hex} | request.pop("headers", {})
        return await self.ask(kind, "POST", path, headers=headers, **request)

    async def pages(self, kind: type[Kind], path: str, **filters: Any) -> AsyncIterator[Kind]:
        """Every item of a list; pages are fetched as they are needed."""
        params = {"limit": 100} | {n: value for n, value in filters.items() if value is not None}
        while True:
            page = await self.ask(ApiAnswer, "GET", path, params=params)
            if not page.keys() >= LISTING:
                raise Unreachable(self.url, "expected a list of ktl's API, got other JSON")
            for item in page["data"]:
                yield cast(Kind, item)
            if not page["has_more"]:
                return
            params["after"] = page["next"]

    @asynccontextmanager
    async def stream(self, path: str, **request: Any) -> AsyncIterator[httpx.Response]:
        """An answer that is read as it comes."""
        try:
            async with self.http.stream("GET", path, **request) as response:
                if not response.is_success:
                    await response.aread()
                yield accepted(response)
        except httpx.TransportError as error:
            raise Unreachable(self.url, error) from error

    async def download(self, path: str, target: str | Path, **request: Any) -> Path:
        """Writes the answer at `target`, whole or not at all."""
        target = Path(target)
        partial = target.with_name(f"{target.name}.{uuid4().hex}.partial")
        try:
            async with self.stream(path, **request) as response:
                if response.headers.get("content-type", "").startswith("text/html"):
                    await response.aread()
                    raise Unreachable(self.url, said(response))
                with partial.open("wb") as file:
                    async for piece in response.aiter_bytes():
                        file.write(piece)
            return partial.replace(target)
        except OSError as error:
            error.filename, error.filename2 = str(target), None  # the name that was asked for
            raise
        finally:
            partial.unlink(missing_ok=True)
