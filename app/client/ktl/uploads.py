"""What an upload sends: files as they are, arrays as .npz, data frames as Parquet."""

import io
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from .frames import check_frame, is_frame

OnProgress = Callable[[int, int], None]  # bytes sent, bytes in all
Stored = str | Path
BAR = 30  # signs


class Columned(Protocol):
    """A data frame of pandas or polars, or a table of pyarrow."""

    @property
    def columns(self) -> Any: ...


Content = Stored | Sequence[Stored] | Mapping[str, Any] | Columned
EXPECTED = (
    "expected a file, several files, arrays by name as {'x': images, 'y': labels}, or a data frame "
    "of pandas, polars or pyarrow"
)


class OpenUpload:
    """Files that are ready to be sent; they are open until the upload is closed."""

    def __init__(
        self, content: Content, name: str | None, on_progress: OnProgress | bool | None
    ) -> None:
        self._tell = _told(on_progress)
        self._sent = self.total = 0
        with ExitStack() as opening:
            self.parts = [
                ("file", (file_name, opening.enter_context(_Counted(stream, self._count))))
                for file_name, stream in _files(content)
            ]
            self.total = sum(stream.size for _, (_, stream) in self.parts)
            self.name = name or _name_of(self.parts[0][1][0], content)
            self._open = opening.pop_all()

    def _count(self, size: int) -> None:
        self._sent += size
        if self._tell:
            self._tell(min(self._sent, self.total), self.total)

    def __enter__(self) -> "OpenUpload":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


class _Counted(io.RawIOBase):
    """A file that tells how much of it has been read."""

    def __init__(self, stream: BinaryIO, count: Callable[[int], None]) -> None:
        super().__init__()
        self._stream, self._report = stream, count
        self.size = stream.seek(0, io.SEEK_END)
        stream.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        data = self._stream.read(-1 if size is None else size)
        self._report(len(data))
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._stream.close()
        super().close()


def _files(content: Content) -> Iterable[tuple[str, BinaryIO]]:
    """Files one after the other, so that one that is missing leaves none open."""
    if isinstance(content, (str, Path)):
        content = [content]
    if isinstance(content, Mapping):
        return [("arrays.npz", _arrays(content))]
    if (frame := _frame(content)) is not None:
        return [frame]
    if not isinstance(content, Sequence) or not content:
        raise TypeError(f"{EXPECTED}; got {_kind(content)}")
    if unfit := [each for each in content if not isinstance(each, (str, Path))]:
        raise TypeError(f"{EXPECTED}; got a sequence with {_kind(unfit[0])}")
    return ((Path(each).name, Path(each).open("rb")) for each in content)


def _arrays(arrays: Mapping[str, Any]) -> BinaryIO:
    import numpy as np  # whoever has arrays has it

    made = {str(name): np.asarray(array) for name, array in arrays.items()}
    if not made:
        raise TypeError(f"{EXPECTED}; got no array")
    if objects := [name for name, array in made.items() if array.dtype == object]:
        raise TypeError(
            f"expected numbers or texts of one type, got Python objects in {', '.join(objects)}: "
            "lists of unequal lengths, or None among values"
        )
    stream = io.BytesIO()
    np.savez_compressed(stream, **made)  # type: ignore[arg-type]  # a name is no option
    return stream


def _frame(content: Any) -> tuple[str, BinaryIO] | None:
    """A data frame's file, told by what it can do, so that no such package is imported for it."""
    if not is_frame(content):
        return None
    check_frame(content)
    stream = io.BytesIO()
    if hasattr(content, "write_parquet"):  # polars
        content.write_parquet(stream)
    elif hasattr(content, "to_parquet"):  # pandas
        named = content.rename(columns=str)
        try:
            named.to_parquet(stream, index=False)
        except ImportError:  # neither pyarrow nor fastparquet: texts stay texts in this form too
            lines = named.to_json(orient="records", lines=True, date_format="iso")
            return "rows.jsonl", io.BytesIO(lines.encode())
        # pandas may have closed the stream that it was given
    elif hasattr(content, "to_pylist"):  # pyarrow
        from pyarrow import Table, parquet  # they are loaded: the data came from there

        table = content if isinstance(content, Table) else Table.from_batches([content])
        parquet.write_table(table, stream)
    else:
        return None
    return "rows.parquet", io.BytesIO(stream.getvalue())


def _name_of(file_name: str, content: Content) -> str:
    if isinstance(content, (str, Path)) or (
        isinstance(content, Sequence) and not isinstance(content, Mapping)
    ):
        return file_name.partition(".")[0]
    raise TypeError("expected name=… for data that comes from no file, got none")


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"


def _told(on_progress: OnProgress | bool | None) -> OnProgress | None:
    if callable(on_progress):
        return on_progress
    return _bar if on_progress else None


def _bar(sent: int, total: int) -> None:
    """A bar of one line on standard error, which terminals and notebooks draw over itself."""
    share = sent / total if total else 1.0
    filled = round(BAR * share)
    end = "\n" if sent >= total else ""
    line = f"\r{'█' * filled}{'░' * (BAR - filled)} {share:4.0%} of {total / 1e6:.1f} MB{end}"
    sys.stderr.write(line)
    sys.stderr.flush()
