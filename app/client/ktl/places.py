"""Where the API is, and with which key one asks it."""

import os
from urllib.parse import quote, urlsplit

import httpx

from .errors import Unreachable

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
# Where a service listens that listens on all addresses, and by which it is asked on its own machine
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  nothing is bound here
EXAMPLE = "http://127.0.0.1:8000"


def url_of_environment() -> str:
    """KTL_URL, else KTL_HOST and KTL_PORT, else this machine's port 8000."""
    host = os.environ.get("KTL_HOST", "127.0.0.1")
    host = EVERYWHERE.get(host, host)
    written = f"[{host}]" if ":" in host else host
    port = os.environ.get("KTL_PORT", "8000")
    return os.environ.get("KTL_URL") or f"http://{written}:{port}"


def key_of_environment() -> str | None:
    return os.environ.get("KTL_API_KEY")


def address_of(url: str) -> httpx.URL:
    """An address as people write it or copy it, without the path of a call. Raises Unreachable for
    one where no service can be."""
    try:
        found = httpx.URL(with_scheme(url.strip().rstrip("/").removesuffix("/v1")))
    except (httpx.InvalidURL, ValueError) as error:  # of no port, host or brackets
        raise Unreachable(url, f"expected an address as {EXAMPLE}, got one with {error}") from error
    if found.scheme not in {"http", "https"} or not found.host or found.query or found.fragment:
        raise Unreachable(url, f"expected an address as {EXAMPLE}")
    return found


def headers_with(key: str | None, url: httpx.URL) -> dict[str, str]:
    """Headers by which the key is shown. Raises Unreachable for one that no header can carry."""
    if not (key := (key or "").strip()):
        return {}
    if not (key.isascii() and key.isprintable()):
        raise Unreachable(str(url), "expected a key as ktl_… (KTL_API_KEY), got other characters")
    return {"Authorization": f"Bearer {key}"}


def with_scheme(url: str) -> str:
    """`localhost:8000` as people write it: http on this machine, https elsewhere."""
    if "://" in url or not url:
        return url
    is_here = (urlsplit(f"//{url}").hostname or "") in LOOPBACK
    return f"{'http' if is_here else 'https'}://{url}"


def path_to(resource: str, reference: str, *below: str) -> str:
    """`/v1/datasets/my%20letters/audit`: a name may have any character. `.` and `..` would be steps
    of a path."""
    written = quote(reference, safe="")
    if not reference.strip("."):
        written = reference.replace(".", "%2E")
    return "/".join([f"/v1/{resource}", written, *below])
