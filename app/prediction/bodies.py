"""A request's body as it arrives, counted before it is kept."""

import asyncio
from typing import NamedTuple

from starlette.types import Message, Receive

from app.errors import TooLarge, TooSlow

SMALL_BYTES = 2**16  # a body of this size is read and looked at in well under a millisecond
ARRIVAL_SECONDS = 60.0


class ClientGone(Exception):
    """Nobody is left to answer."""


class BodyStart(NamedTuple):
    """A body's beginning."""

    text: bytes
    is_complete: bool

    @property
    def is_small(self) -> bool:
        return self.is_complete and len(self.text) <= SMALL_BYTES


class Limit(NamedTuple):
    """The most bytes that a body may have. `lighter`: what is a fraction of the size, in words."""

    bytes: int
    lighter: str = ""


def check_declared(length: bytes | None, limit: Limit) -> None:
    """Raises TooLarge before the first byte."""
    if length is not None and length.isdigit() and (len(length) > 15 or int(length) > limit.bytes):
        raise _too_large(limit)


async def begin(receive: Receive) -> BodyStart:
    """All of a small body, or a little more than SMALL_BYTES. Raises ClientGone."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return BodyStart(body, True)
    collected, has_more = bytearray(body), True
    while has_more and len(collected) <= SMALL_BYTES:
        message = await _next(receive)
        collected += message.get("body", b"")
        has_more = message.get("more_body", False)
    return BodyStart(bytes(collected), not has_more)


async def rest(begun: BodyStart, receive: Receive, limit: Limit) -> bytearray:
    """All of the body. Raises TooLarge, TooSlow and ClientGone.

    One buffer that grows: to join 64 MiB of pieces would hold everyone up.
    """
    collected, has_more = bytearray(begun.text), not begun.is_complete
    try:
        async with asyncio.timeout(ARRIVAL_SECONDS):
            while has_more:
                if len(collected) > limit.bytes:
                    raise _too_large(limit)
                message = await _next(receive)
                collected += message.get("body", b"")
                has_more = message.get("more_body", False)
    except TimeoutError:
        detail = (
            f"expected the whole body within {ARRIVAL_SECONDS:g} seconds, got {len(collected)} "
            "bytes: send fewer inputs a request"
        )
        raise TooSlow("too_slow", detail) from None
    if len(collected) > limit.bytes:
        raise _too_large(limit)
    return collected


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


def _too_large(limit: Limit) -> TooLarge:
    lighter = f", or {limit.lighter}, which is a fraction of the size" if limit.lighter else ""
    detail = f"expected at most {limit.bytes} bytes, got more: send fewer inputs a request{lighter}"
    # To read on and throw away what a stranger sends would cost the others most of all.
    return TooLarge("too_large", detail, headers={"Connection": "close"})
