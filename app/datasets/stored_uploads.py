"""Files of an upload in the store, until a row names them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from app.datasets.uploads import ReceivedFile
from app.storage import Storage


@dataclass
class StoredUpload:
    """`files`: [{"name", "ref", "bytes"}], as a row has them. `is_kept`: a row has taken them
    over."""

    storage: Storage
    files: list[dict[str, Any]] = field(default_factory=list)
    is_kept: bool = False

    def let_go(self) -> None:
        """Deletes them at once, unless a row has taken them over: a sweep would wait for an hour,
        which a full disk may not have."""
        if not self.is_kept:
            self.storage.delete_uploads(file["ref"] for file in self.files)


@contextmanager
def stored_upload(storage: Storage, received: Sequence[ReceivedFile]) -> Iterator[StoredUpload]:
    """Stores the files, which are let go at the end of the block. Raises WorkFailure."""
    upload = StoredUpload(storage)
    try:
        for file in received:
            ref = storage.write_upload(file.path)
            upload.files.append({"name": file.name, "ref": ref, "bytes": file.bytes})
        yield upload
    finally:
        upload.let_go()
