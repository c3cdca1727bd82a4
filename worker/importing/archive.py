"""A .keras archive, read as what it may be and nothing more: three plain files of bounded size."""

import errno
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from app.errors import BadRequest, Invalid
from app.json_text import decode
from worker.importing.refusing import refused
from worker.machine.capped_file import CappedFile, TooManyMembers

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MEMBERS = (METADATA, CONFIG, WEIGHTS)
MOST_OF = {CONFIG: 2**24, METADATA: 2**16}
CHUNK_BYTES = 2**20
MOST_MEMBERS = 16
DIRECTORY_BYTES = 2**21  # of its members' names; a chunk is read at once too
KERAS = "3."
# What zipfile and zlib raise at bytes that are not what they say: a place before the file's
# beginning, a name that is no text, an extra field that is cut off.
DAMAGED = (
    BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
    zlib.error,
)
OUR_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})


@dataclass(frozen=True)
class Archive:
    config: Any  # JSON, of which nothing is known yet
    weights: Path
    keras_version: str


def unpack(path: Path, folder: Path, most_bytes: int) -> Archive:
    """Writes the weights to `folder`, under a name of ours.

    Args:
        most_bytes: of the weights, inflated.

    Raises:
        WorkFailure: `model_invalid`, whatever the bytes are.
    """
    try:
        with CappedFile(path, DIRECTORY_BYTES, MOST_MEMBERS) as file, ZipFile(file) as archive:
            members = _members(archive)
            metadata = _json(archive, members[METADATA])
            version = metadata.get("keras_version") if isinstance(metadata, dict) else None
            if not isinstance(version, str) or not version.startswith(KERAS):
                detail = (
                    "expected an archive that Keras 3 has written, by its metadata.json; load it "
                    "with Keras 3 and save it again"
                )
                raise refused("not_of_keras_3", detail, METADATA, "keras_version")
            config = _json(archive, members[CONFIG])
            weights = folder / "uploaded.h5"
            _write(archive, members[WEIGHTS], weights, most_bytes)
    except TooManyMembers as error:
        raise _not_these(error.members) from error
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno in OUR_DISK:
            raise
        detail = "expected a .keras archive, a zip that can be read, got one that is damaged"
        raise refused("not_a_keras_archive", detail) from error
    plain = version if version.replace(".", "").isalnum() and len(version) < 20 else KERAS
    return Archive(config, weights, plain)


def _members(archive: ZipFile) -> dict[str, ZipInfo]:
    """The three that there are to be, each once, as plain files."""
    infos = archive.infolist()
    if sorted(i.filename for i in infos) != sorted(MEMBERS):
        raise _not_these(len(infos))
    for info in infos:
        is_plain = stat.S_IFMT(info.external_attr >> 16) in {0, stat.S_IFREG}
        is_known = info.compress_type in {ZIP_STORED, ZIP_DEFLATED} and not info.flag_bits & 1
        if not is_plain or not is_known:
            detail = "expected a plain file, stored or deflated, got a link or another kind"
            raise refused("unexpected_member", detail, info.filename)
    return {info.filename: info for info in infos}


def _not_these(members: int) -> Exception:
    detail = (
        f"expected {', '.join(MEMBERS)} in the archive, each once and nothing else, got {members} "
        "members that are not these"
    )
    return refused("unexpected_member", detail)


def _json(archive: ZipFile, info: ZipInfo) -> Any:
    most = MOST_OF[info.filename]
    with archive.open(info) as stream:
        content = stream.read(most + 1)  # not what the archive says it is
    if len(content) > most:
        raise _too_large(info, most)
    try:
        return decode(content, info.filename)
    except (BadRequest, Invalid) as error:
        detail = f"expected JSON in {info.filename}, without what no text or number may be"
        raise refused("invalid_json", detail, info.filename) from error


def _write(archive: ZipFile, info: ZipInfo, target: Path, most: int) -> None:
    if info.file_size > most:
        raise _too_large(info, most)
    written = 0
    with archive.open(info) as stream, target.open("wb") as file:
        while chunk := stream.read(CHUNK_BYTES):
            written += len(chunk)
            if written > most:
                raise _too_large(info, most)
            file.write(chunk)


def _too_large(info: ZipInfo, most: int) -> Exception:
    detail = f"expected at most {most} bytes in {info.filename} when inflated, got more"
    return refused("too_large", detail, info.filename)
