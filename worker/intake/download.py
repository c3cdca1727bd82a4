"""Files of the catalogue from the network: resumed when cut, checked by sha256, kept for good."""

import time
from pathlib import Path

import httpx
from filelock import FileLock

from app.datasets.catalogue import SourceFile
from app.errors import FailureCode, WorkFailure
from app.integrity import sha256_of
from app.settings import Settings

ATTEMPTS = 3  # in a row that brought nothing new
PAUSE_SECONDS = 0.2  # after the first such, then twice and so on
TIMEOUT_SECONDS = 30.0  # without a byte


def fetch(source: SourceFile, settings: Settings) -> Path:
    """Returns the checked file in the cache. Raises WorkFailure `download_failed`, which says
    where to put the file by hand."""
    folder = settings.cache_dir / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    with FileLock(folder / f"{source.name}.lock"):  # two workers want one file
        if not _is_right(target, source):
            if settings.offline:
                raise WorkFailure(
                    FailureCode.DOWNLOAD_FAILED,
                    f"{source.name} is not here and KTL_OFFLINE is set: {_by_hand(source, target)}",
                    stage="download",
                )
            url = source.url
            if settings.catalog_url:
                url = f"{settings.catalog_url.rstrip('/')}/{source.name}"
            try:
                _download(url, source, folder / f"{source.name}.partial").replace(target)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise WorkFailure(
                    FailureCode.DOWNLOAD_FAILED,
                    f"{url} could not be downloaded ({type(error).__name__}: {error}). Without a "
                    f"network {_by_hand(source, target)}",
                    stage="download",
                ) from error
    return target


def _by_hand(source: SourceFile, target: Path) -> str:
    return (
        f"put the file ({source.bytes} bytes, sha256 {source.sha256}) at {target} and ask for the "
        "dataset again."
    )


def _download(url: str, source: SourceFile, partial: Path) -> Path:
    """Until the file is whole: each attempt goes on where the one before was cut."""
    resumed = partial.exists()  # from an earlier process: of which version, nobody knows
    timeout = httpx.Timeout(TIMEOUT_SECONDS)
    with httpx.Client(follow_redirects=True, timeout=timeout) as client:
        _receive_all(client, url, source, partial)
        if resumed and not _is_right(partial, source):
            partial.unlink()
            _receive_all(client, url, source, partial)
    if not _is_right(partial, source):
        size = partial.stat().st_size
        partial.unlink()
        raise httpx.ProtocolError(f"{size} bytes came, with another sha256 than expected")
    return partial


def _receive_all(client: httpx.Client, url: str, source: SourceFile, partial: Path) -> None:
    failures, etag = 0, ""
    while (before := _size(partial)) < source.bytes:
        error: httpx.HTTPError = httpx.ReadError("the connection was cut")
        headers = {"Accept-Encoding": "identity"}
        if before:
            headers["Range"] = f"bytes={before}-"
            if etag:
                headers["If-Range"] = etag  # another version is sent whole
        try:
            with client.stream("GET", url, headers=headers) as answer:
                answer.raise_for_status()
                found = answer.headers.get("ETag", "")
                etag = "" if found.startswith("W/") else found  # a weak one says too little
                _append(answer, partial, before, source.bytes)
        except httpx.HTTPError as raised:
            if isinstance(raised, httpx.HTTPStatusError) and raised.response.status_code < 500:
                raise
            error = raised
        failures = 0 if _size(partial) > before else failures + 1
        if failures == ATTEMPTS:
            raise error
        time.sleep(PAUSE_SECONDS * failures)


def _append(answer: httpx.Response, partial: Path, have: int, wanted: int) -> None:
    """A server that knows no ranges sends the whole file again."""
    content_range = answer.headers.get("Content-Range", "")
    goes_on = answer.status_code == httpx.codes.PARTIAL_CONTENT and content_range.startswith(
        f"bytes {have}-"
    )
    with partial.open("ab" if goes_on else "wb") as output:
        # Raw, as a .gz shall stay one; in the pieces that come, as a chunker would lose the last
        # ones when the connection is cut.
        for chunk in answer.iter_raw():
            output.write(chunk)
            if output.tell() > wanted:
                break  # not the file that was promised


def _is_right(path: Path, source: SourceFile) -> bool:
    return _size(path) == source.bytes and sha256_of(path) == source.sha256


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
