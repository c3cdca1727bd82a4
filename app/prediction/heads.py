"""The head of a request, before its body, read alike by all protocols."""

from starlette.datastructures import QueryParams

from app.errors import UnsupportedMedia
from app.gate import check_query

JSON = "application/json"
# What programs say that do not care: nothing, or what `curl -d` says by itself.
UNSAID = ("", "application/x-www-form-urlencoded")


def media_type(
    content_type: bytes, named: tuple[str, ...], besides: tuple[str, ...] = (), why: str = ""
) -> str:
    """The media type of a Content-Type header, one of `named` or `besides`, of which the second
    are taken and not advertised. `why`: no others, in words. Raises UnsupportedMedia."""
    found = content_type.decode("latin-1").partition(";")[0].strip().lower()
    if found not in named and found not in besides:
        got = found[:80] or "no Content-Type"
        reason = f": {why}" if why else ""
        detail = f"expected {' or '.join(named)}, got {got}{reason}"
        raise UnsupportedMedia("unsupported_media_type", detail)
    return found


def refuse_query(query: bytes) -> None:
    """Raises Invalid: a parameter that means nothing is a typing error."""
    if query:
        check_query(QueryParams(query), set())


def name_in(method: str, path: str, prefix: str, suffix: str) -> str | None:
    """Returns what stands between the two in a POST's path, where that is one name."""
    if method != "POST" or not path.startswith(prefix) or not path.endswith(suffix):
        return None
    name = path[len(prefix) : -len(suffix)]
    return None if not name or "/" in name else name
