"""ETags: 304 to a poll that has seen the content, 412 to a change of something that has changed."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson
from fastapi import Request, Response
from pydantic import BaseModel

from app.errors import Finding, PreconditionFailed

Body = BaseModel | Mapping[str, Any]


def etag_of(body: Body) -> str:
    """The strong ETag under which `conditional` sends this body."""
    return _etag(_encode(body))


def conditional(
    request: Request, body: Body, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The body as JSON with its ETag; 304 without it when If-None-Match names that."""
    content = _encode(body)
    etag = _etag(content)
    sent = {"ETag": etag, **(headers or {})}
    if request.method in {"GET", "HEAD"} and names(request, "if-none-match", etag):
        return Response(status_code=304, headers=sent)
    return Response(content, status, sent, media_type="application/json")


def check_preconditions(request: Request, current_etag: str | None) -> None:
    """Raises PreconditionFailed when If-Match was sent and does not name the current version, or
    If-None-Match and does: with `*` a PUT makes what is not there, and changes nothing.

    `current_etag` is None where there is no such resource yet.
    """
    if "if-match" in request.headers and not (
        current_etag and names(request, "if-match", current_etag)
    ):
        detail = f"expected If-Match to name the current version {current_etag or '(none)'}"
        finding = Finding(detail, parameter="If-Match")
        raise PreconditionFailed("version_changed", f"{detail}, got another one", finding)
    if current_etag and names(request, "if-none-match", current_etag):
        detail = f"expected no version that If-None-Match names, got {current_etag}"
        finding = Finding(detail, parameter="If-None-Match")
        raise PreconditionFailed("version_exists", detail, finding)


def _encode(body: Body) -> bytes:
    plain = body.model_dump(mode="json", by_alias=True) if isinstance(body, BaseModel) else body
    return orjson.dumps(plain)


def _etag(content: bytes) -> str:
    return f'"{sha256(content).hexdigest()[:32]}"'


def names(request: Request, header: str, etag: str) -> bool:
    """Tells whether a header names that version. If-None-Match compares weakly: a proxy that
    compresses turns our ETag into W/"…"."""
    sent = [tag.strip() for line in request.headers.getlist(header) for tag in line.split(",")]
    if header == "if-none-match":
        sent = [tag.removeprefix("W/") for tag in sent]
    return etag in sent or "*" in sent
