"""Where the API is, and with which key one asks it."""

import os
from urllib.parse import quote, urlsplit

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def url_of_environment() -> str:
    """KTL_URL, else KTL_HOST and KTL_PORT, else this machine's port 8000."""
    host = os.environ.get("KTL_HOST", "127.0.0.1")
    written = f"[{host}]" if ":" in host else host
    port = os.environ.get("KTL_PORT", "8000")
    return os.environ.get("KTL_URL") or f"http://{written}:{port}"


def key_of_environment() -> str | None:
    return os.environ.get("KTL_API_KEY")


def with_scheme(url: str) -> str:
    """`localhost:8000` as people write it: http on this machine, https elsewhere."""
    if "://" in url or not url:
        return url
    is_here = (urlsplit(f"//{url}").hostname or "") in LOOPBACK
    return f"{'http' if is_here else 'https'}://{url}"


def path_to(resource: str, reference: str, *below: str) -> str:
    """`/v1/datasets/my%20letters/audit`: a name may have any character."""
    return "/".join([f"/v1/{resource}", quote(reference, safe=""), *below])
