"""A zip of stored files, made while it is sent: no more than a piece of it is in memory."""

import io
from collections.abc import Iterator, Mapping
from zipfile import ZipFile, ZipInfo

from app.storage import Storage

PIECE_BYTES = 2**20


class _Pieces(io.RawIOBase):
    """What has been written since it was last taken."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        size = len(self._written)
        self._written += data  # type: ignore[arg-type]  # a buffer of bytes
        return len(self._written) - size

    def take(self) -> bytes:
        taken, self._written = bytes(self._written), bytearray()
        return taken


def stream_zip(
    storage: Storage, texts: Mapping[str, bytes], files: Mapping[str, str]
) -> Iterator[bytes]:
    """The archive's bytes, the same at every call. Arrays of logits do not shrink: it is stored.

    Args:
        texts: contents by name, first in the archive.
        files: refs into the store by name. One that is missing ends the stream before the
            archive's directory, so that no reader takes it for a whole one (WorkFailure).
    """
    pieces = _Pieces()
    with ZipFile(pieces, "w") as archive:
        for name, content in texts.items():
            archive.writestr(ZipInfo(name), content)
            yield pieces.take()
        for name, ref in files.items():
            with (
                storage.local(ref).open("rb") as source,
                archive.open(ZipInfo(name), "w", force_zip64=True) as entry,
            ):
                while piece := source.read(PIECE_BYTES):
                    entry.write(piece)
                    yield pieces.take()
    yield pieces.take()
