"""A file of which never much is read at once."""

from io import BufferedReader, FileIO
from pathlib import Path
from zipfile import BadZipFile


class CappedFile(BufferedReader):
    """An archive's directory comes into memory as a whole, and thousands of times larger, however
    much of it there is: what reads more than `most` bytes at once gets BadZipFile instead."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(FileIO(path))
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        most = self._most + 1
        found = super().read(most if size is None or size < 0 else min(size, most))
        if len(found) == most:
            raise BadZipFile(f"expected a directory of at most {self._most} bytes")
        return found
