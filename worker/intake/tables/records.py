"""Rows that a table's reader gives: columns on disk, read back one at a time.

A file of any format becomes an Arrow IPC file of plain columns: text as it stands there (all of a
CSV file's), or numbers, flags and moments where the format has types. Nothing is inferred yet.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import NoReturn, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import ipc

from app.datasets.table_spec import TableSpec
from app.errors import FailureCode, WorkFailure
from worker.datasets.stored_rows import StoredRows, write_batches
from worker.intake.raw import IntakeLimits, RawFile, refuse

COLUMN_LIMIT = 10_000
NAME_LIMIT = 200  # characters
SETTING = "KTL_DATASET_LIMIT_BYTES"
NAMED = 10  # columns in one sentence
HELD_BYTES = 192 * 2**20  # of rows that are not written before they are looked at


@dataclass(frozen=True)
class FileRows:
    """The rows of one file.

    place: of a row, counted from 0, in words, as `line 12`.
    found: sentences about how the file was read, and why so.
    decimal: the sign in numbers as text; None where the file shows none.
    as_text: reads the file again, numbers as text too; None where it has types of its own.
    held: the rows themselves, where they are few bytes: nothing is at `path` then.
    units: of columns whose numbers the file holds with their unit, by their names.
    """

    name: str  # as the user called the file
    path: Path  # Arrow IPC
    rows: int
    names: tuple[str, ...]
    place: Callable[[int], str]
    found: tuple[str, ...] = ()
    decimal: str | None = None
    as_text: Callable[[], "FileRows"] | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    held: pa.Table | None = None

    def kept(self, rows: NDArray[np.intp], workdir: Path) -> "FileRows":
        """Those rows alone, ascending, in a file of their own."""
        path = workdir / f"kept_of_{self.path.name}"

        def chosen() -> Iterator[pa.RecordBatch]:
            start = 0
            for batch in self.batches(self.names):
                stop = start + batch.num_rows
                low, high = np.searchsorted(rows, (start, stop))
                if high > low:
                    yield batch.take(pa.array(rows[low:high] - start))
                start = stop

        write_batches(path, self.schema, chosen())

        def place(row: int) -> str:
            return self.place(int(rows[row]))

        return replace(self, path=path, rows=len(rows), place=place, as_text=None, held=None)

    @cached_property
    def own(self) -> frozenset[str]:
        return frozenset(self.names)

    def type_of(self, name: str) -> pa.DataType:
        return self.schema.field(name).type

    @cached_property
    def schema(self) -> pa.Schema:
        return self.held.schema if self.held is not None else StoredRows(self.path).schema

    def column(self, name: str) -> pa.ChunkedArray:
        """Read from disk, unless all are held: only that column takes memory."""
        if self.held is not None:
            return self.held.column(name)
        return StoredRows(self.path).column(name)

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Batches of some columns; those that it lacks are left out."""
        own = self.own
        if self.held is not None:
            chosen = [name for name in names if name in own] or [self.names[0]]
            yield from self.held.select(chosen).to_batches()
            return
        with pa.OSFile(str(self.path)) as file:
            whole = ipc.open_file(file).schema
            fields = [whole.get_field_index(name) for name in names if name in own]
            options = ipc.IpcReadOptions(included_fields=fields)
            if not fields:  # which would mean all of them
                options = ipc.IpcReadOptions(included_fields=[0])
            reader = ipc.open_file(file, options=options)
            for index in range(reader.num_record_batches):
                yield reader.get_batch(index)


@dataclass(frozen=True)
class Records:
    """One file's rows that are not split yet, or a training and a test file's; the second has the
    first one's columns, but for labels that it may lack."""

    train: FileRows
    test: FileRows | None = None

    @property
    def parts(self) -> tuple[FileRows, ...]:
        return (self.train,) if self.test is None else (self.train, self.test)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    def unit(self, name: str) -> str:
        """Unit with which the files hold the column's numbers; none: the empty string."""
        return next((part.units[name] for part in self.parts if name in part.units), "")

    def place(self, row: int) -> str:
        """Place of a row of both parts together, in words."""
        if self.test is None:
            return self.train.place(row)
        if row < self.train.rows:
            return f"{self.train.place(row)} of `{self.train.name}`"
        return f"{self.test.place(row - self.train.rows)} of `{self.test.name}`"

    def type_of(self, name: str) -> pa.DataType:
        """Type of the column of both parts; float64 where they have different numbers."""
        kinds = {part.type_of(name) for part in self.parts if name in part.own}
        return kinds.pop() if len(kinds) == 1 else pa.float64()

    def is_held(self, name: str) -> bool:
        """Tells whether the column is in memory as it stands, in whatever file."""
        return all(part.held is not None and name in part.own for part in self.parts)

    def column(self, name: str) -> pa.ChunkedArray:
        """Column of both parts, the training part's rows first; missing throughout a part without
        it."""
        kind, chunks = self.type_of(name), []
        for part in self.parts:
            if name in part.own:
                chunks += part.column(name).cast(kind).chunks
            else:
                chunks.append(pa.nulls(part.rows, kind))
        return pa.chunked_array(chunks, kind)

    def batches(self, names: Sequence[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Batches of some columns, with the place of each batch's first row in both parts
        together."""
        start = 0
        for part in self.parts:
            for batch in part.batches(names):
                yield start, batch
                start += batch.num_rows

    @property
    def decimal(self) -> str:
        """Raises WorkFailure `dataset_invalid` where the two files differ."""
        shown = {part.decimal for part in self.parts} - {None}
        if len(shown) > 1:
            detail = (
                "expected one decimal sign in both files, got a comma in one and a point in the "
                'other: write both with the same one; `csv`: {"decimal": …} in the spec says which '
                "it is where they have the same and it was taken for another"
            )
            refuse("mixed_decimals", detail)
        return next((sign for sign in shown if sign), ".")


class TableFormat(Protocol):
    """A module of this folder is a format; worker/intake/formats.py lists them."""

    @property
    def name(self) -> str: ...

    def recognises(self, file: RawFile) -> bool: ...

    def read(self, file: RawFile, spec: TableSpec, limits: IntakeLimits, workdir: Path) -> FileRows:
        """Writes into `workdir`. Raises WorkFailure `dataset_invalid`, whatever the bytes are."""
        ...


def spill(
    name: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    limits: IntakeLimits,
    target: Path,
) -> int:
    """Writes the batches as they come, within the limits; returns how many rows they are. Raises
    WorkFailure `dataset_invalid`."""
    return write_batches(target, schema, _within(batches, limits, name))


def gathered(
    name: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    limits: IntakeLimits,
    target: Path,
) -> tuple[int, pa.Table | None]:
    """Keeps the batches, or writes them where they are more than HELD_BYTES; returns how many rows
    they are, and these where they are kept."""
    kept: list[pa.RecordBatch] = []
    coming = _within(batches, limits, name)
    size = 0
    for batch in coming:
        kept.append(batch)
        size += batch.nbytes
        if size > HELD_BYTES:
            return spill(name, schema, chain(_drained(kept), coming), limits, target), None
    table = pa.Table.from_batches(kept, schema)
    return table.num_rows, table


def _drained(kept: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches, each of which is let go when the next one is asked for."""
    kept.reverse()
    while kept:
        yield kept.pop()


def _within(
    batches: Iterable[pa.RecordBatch], limits: IntakeLimits, name: str
) -> Iterator[pa.RecordBatch]:
    """The batches, as long as they are within the limits. Raises WorkFailure `dataset_invalid`."""
    rows = size = 0
    for batch in batches:
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows > limits.items:
            refuse("too_many_items", f"expected at most {limits.items} rows, got more", name)
        if size > limits.bytes:
            detail = (
                f"expected at most {limits.bytes} bytes of values in `{name}`, got more: "
                f"upload fewer rows or columns, or raise {SETTING} where the service runs"
            )
            refuse("too_large", detail, name)
        yield batch
    if not rows:
        refuse("empty_split", f"expected rows below the names of columns in `{name}`, got none")


def check_names(names: Sequence[str], file: str) -> None:
    """Refuses names of columns that are many, long, or equal."""
    if len(names) > COLUMN_LIMIT:
        detail = (
            f"expected at most {COLUMN_LIMIT} columns in `{file}`, got {len(names)}: leave out "
            "those that vary least, or that are least likely to matter"
        )
        refuse("too_many_columns", detail)
    if blank := [place for place, name in enumerate(names, 1) if not name.strip()]:
        detail = (
            f"expected a name for each column of `{file}`, got a blank one in place {blank[0]} of "
            f"{len(names)}; name it, or leave it out of the file"
        )
        refuse("blank_name", detail)
    if any(len(name) > NAME_LIMIT or "\0" in name for name in names):
        detail = (
            f"expected names of columns of at most {NAME_LIMIT} characters and without NUL in "
            f"`{file}`, got others"
        )
        refuse("name_too_long", detail)
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        detail = (
            f"expected a name of its own for each column of `{file}`, got {listed(doubled)} "
            "more than once; rename all but one of them"
        )
        refuse("duplicate_column", detail, doubled[0])


def listed(names: Collection[str]) -> str:
    shown = [f"`{name}`" for name in list(names)[:NAMED]]
    return ", ".join(shown) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def refuse_said(reason: str, detail: str, *path: str) -> NoReturn:
    """`path`: to the member of the spec that is to blame."""
    tokens = [each.replace("~", "~0").replace("/", "~1") for each in path]
    raise WorkFailure(
        FailureCode.DATASET_INVALID,
        detail,
        stage="intake",
        reason=reason,
        pointer="/".join(["#/spec", *tokens]),
    )
