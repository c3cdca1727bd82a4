"""An encoder's files from the hub: by the plain addresses `BASE/ORG/NAME/resolve/COMMIT/FILE`, of
one commit, of bounded size, each with its sha256.

A revision that may move becomes the commit that the hub says it is at (`X-Repo-Commit`), with the
first file; all others are asked for by that commit. Nothing but these files is fetched.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from app.errors import FailureCode, WorkFailure
from app.models.encoder_spec import COMMIT, HubName
from app.settings import Settings
from worker.importing.refusing import IMPORT, refused

ATTEMPTS, PAUSE_SECONDS = 3, 0.5
TIMEOUT_SECONDS = 30.0  # without a byte
TEXT_BYTES = 2**20
TOKENIZER_BYTES = 2**26
CONFIG, TOKENIZER = "config.json", "tokenizer.json"
GRAPHS = ("onnx/model.onnx", "model.onnx")  # the first that there is
ALSO = (  # what sentence-transformers says beside
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "tokenizer_config.json",
)
MISSING = {401, 403, 404}  # the hub answers 401 for what it does not have
COMMIT_HEADER, HASH_HEADER = "x-repo-commit", "x-linked-etag"


class FetchedFile(NamedTuple):
    bytes: int
    sha256: str


@dataclass(frozen=True)
class HubFiles:
    """`graph`: which of GRAPHS it is; `files`: of what is in `folder`, by their names."""

    folder: Path
    name: HubName
    commit: str
    graph: str
    files: Mapping[str, FetchedFile]

    def path(self, file: str) -> Path:
        return self.folder / file.replace("/", "__")

    def told(self) -> dict[str, Any]:
        """Returns where the files come from, for the model's card."""
        return {
            "repository": self.name.repository,
            "revision": self.name.revision,
            "commit": self.commit,
            "files": {name: file._asdict() for name, file in self.files.items()},
        }


def fetch(name: HubName, settings: Settings, folder: Path) -> HubFiles:
    """The files, in `folder`. Raises WorkFailure: `download_failed` where the hub does not answer,
    or nothing may be fetched; `model_invalid` where the repository is not what an encoder's is."""
    if settings.offline:
        detail = f"expected {name.repository} to be fetched, and KTL_OFFLINE is set: add its files"
        raise WorkFailure(FailureCode.DOWNLOAD_FAILED, detail, stage=IMPORT)
    timeout = httpx.Timeout(TIMEOUT_SECONDS)
    with httpx.Client(follow_redirects=True, max_redirects=5, timeout=timeout) as client:
        return _Download(client, name, settings, folder).all()


class _Download:
    def __init__(
        self, client: httpx.Client, name: HubName, settings: Settings, folder: Path
    ) -> None:
        self._client, self._name, self._folder = client, name, folder
        self._base = settings.hub_url.rstrip("/")
        self._left = settings.hub_limit_bytes
        self._revision = name.revision
        self._files: dict[str, FetchedFile] = {}

    def all(self) -> HubFiles:
        if not self._get(CONFIG, TEXT_BYTES):
            detail = f"expected {CONFIG} of {self._name.repository} at {self._name.revision} on "
            detail += "the hub, got none: another name, another revision, or not public"
            raise refused("not_on_hub", detail)
        if not self._get(TOKENIZER, TOKENIZER_BYTES):
            detail = f"expected {TOKENIZER} in the repository, got none: an encoder needs one"
            raise refused("not_an_encoder", detail)
        graph = next((each for each in GRAPHS if self._get(each, self._left)), None)
        if graph is None:
            detail = f"expected {' or '.join(GRAPHS)} in the repository, got neither: export it "
            detail += "with optimum, and add the files"
            raise refused("not_an_encoder", detail)
        for each in ALSO:
            self._get(each, TEXT_BYTES)
        return HubFiles(self._folder, self._name, self._revision, graph, self._files)

    def _get(self, file: str, most: int) -> bool:
        """Whether there is such a file, which is fetched then."""
        url = f"{self._base}/{self._name.repository}/resolve/{self._revision}/{file}"
        target = self._folder / file.replace("/", "__")
        for attempt in range(ATTEMPTS):
            try:
                return self._receive(url, file, target, min(most, self._left))
            except httpx.HTTPStatusError as error:
                if error.response.status_code in MISSING:
                    return False
                raise _unreachable(url, error) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if attempt + 1 == ATTEMPTS or not isinstance(error, httpx.TransportError):
                    raise _unreachable(url, error) from error
                time.sleep(PAUSE_SECONDS * 2**attempt)
        raise AssertionError  # the last attempt returns or raises

    def _receive(self, url: str, file: str, target: Path, most: int) -> bool:
        digest = sha256()
        size = 0
        with self._client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
            answer.raise_for_status()
            hops = [*answer.history, answer]
            if url.startswith("https:") and any(hop.url.scheme != "https" for hop in hops):
                raise refused("not_on_hub", "expected https all the way, got a way that leaves it")
            self._settle(hops)
            with target.open("wb") as output:
                for chunk in answer.iter_raw():
                    size += len(chunk)
                    if size > most:
                        detail = f"expected at most {most} bytes in {file}, got more"
                        raise refused("too_large", detail, file)
                    digest.update(chunk)
                    output.write(chunk)
        found = digest.hexdigest()
        promised = _header(hops, HASH_HEADER).strip('"')
        if len(promised) == len(found) and promised != found:
            raise httpx.ReadError(f"{file} came with another sha256 than the hub says")
        self._left -= size
        self._files[file] = FetchedFile(size, found)
        return True

    def _settle(self, hops: list[httpx.Response]) -> None:
        """From the first file on, the revision is a commit."""
        commit = _header(hops, COMMIT_HEADER)
        if self._name.is_pinned:
            if commit and commit != self._name.revision:
                raise refused("not_on_hub", "expected the files of this commit, got another's")
        elif COMMIT.fullmatch(self._revision):
            return
        elif COMMIT.fullmatch(commit):
            self._revision = commit
        else:
            detail = f"expected a commit of 40 digits, got {self._revision}, which may move, and "
            detail += "the hub does not say which commit it is at"
            raise refused("not_a_commit", detail)


def _header(hops: list[httpx.Response], name: str) -> str:
    return next((hop.headers[name] for hop in hops if name in hop.headers), "")


def _unreachable(url: str, error: Exception) -> WorkFailure:
    detail = (
        f"{url} could not be downloaded ({type(error).__name__}: {error}); without a network add "
        "the files themselves: `ktl models add FOLDER`"
    )
    return WorkFailure(FailureCode.DOWNLOAD_FAILED, detail, stage=IMPORT)
