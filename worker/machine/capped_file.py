"""A file of which never much is read at once."""

from io import BufferedReader, FileIO
from pathlib import Path
from zipfile import BadZipFile

MEMBER_MARK = b"PK\x01\x02"  # with which each member begins in a zip's directory


class TooManyMembers(BadZipFile):
    """`members`: how many there are."""

    def __init__(self, members: int) -> None:
        super().__init__(f"it has {members} members")
        self.members = members


class CappedFile(BufferedReader):
    """An archive's directory comes into memory as a whole, and thousands of times larger, however
    much of it there is: what reads more than `most` bytes at once gets BadZipFile instead, and
    whoever reads a zip's directory of more than `members` TooManyMembers, before an object is made
    of each. They are counted, as the number that the archive says may be any."""

    def __init__(self, path: Path, most: int, members: int | None = None) -> None:
        super().__init__(FileIO(path))
        self._most, self._members = most, members

    def read(self, size: int | None = -1, /) -> bytes:
        most = self._most + 1
        found = super().read(most if size is None or size < 0 else min(size, most))
        if len(found) == most:
            raise BadZipFile(f"expected a directory of at most {self._most} bytes")
        if self._members is not None and found.startswith(MEMBER_MARK):
            count = found.count(MEMBER_MARK)
            if count > self._members:
                raise TooManyMembers(count)
        return found
