"""`/` and its files, read once from the package."""

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.conditional import names
from app.errors import NotFound
from app.turns import TurnRoute

router = APIRouter(route_class=TurnRoute, include_in_schema=False)

FRONT = "index.html"
# Scripts, styles and requests of this address alone: nothing inline, nothing from elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-cache",  # asked for anew each time, answered by 304
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# What a machine's own table of types may not know, or know otherwise.
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class WebFile:
    """A file of the dashboard as it is sent."""

    content: bytes
    media_type: str
    etag: str


@cache
def web_files() -> dict[str, WebFile]:
    """Reads all files of the dashboard: their paths below `/web/`, about 150 KB in all."""
    return dict(_walk(files(__package__) / "static", ""))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, WebFile]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            content = entry.read_bytes()
            suffix = entry.name[entry.name.rfind(".") :]
            media_type = MEDIA_TYPES.get(suffix) or mimetypes.guess_type(entry.name)[0]
            etag = f'"{sha256(content).hexdigest()[:32]}"'
            yield prefix + entry.name, WebFile(content, media_type or "text/plain", etag)


@router.get("/")
async def front(request: Request) -> Response:
    return _answer(request, web_files()[FRONT])


@router.get("/docs")
@router.get("/redoc")
async def reference() -> Response:
    return RedirectResponse("/#/api")


@router.get("/web/{path:path}")
async def file(path: str, request: Request) -> Response:
    if (found := web_files().get(path)) is None:
        raise NotFound("not_found", "expected a file of the dashboard, got a path that is none")
    return _answer(request, found)


def _answer(request: Request, found: WebFile) -> Response:
    headers = {**HEADERS, "ETag": found.etag}
    if names(request, "if-none-match", found.etag):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)
