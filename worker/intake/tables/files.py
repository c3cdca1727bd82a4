"""The files of one upload, each a table: one, or a training and a test file by their names."""

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from app.datasets.table_spec import TableSpec
from worker.intake.raw import IntakeLimits, RawFile, refuse
from worker.intake.tables.blank_rows import without_blank_rows
from worker.intake.tables.records import FileRows, Records, TableFormat, listed
from worker.intake.tables.target import target_columns
from worker.intake.tables.units import without_units

TRAINING = re.compile(r"(^|[^a-z])train(ing)?([^a-z]|$)", re.I)
TEST = re.compile(r"(^|[^a-z])test(ing)?([^a-z]|$)", re.I)


def read_parts(
    files: Sequence[RawFile],
    formats: Sequence[TableFormat],
    spec: TableSpec,
    limits: IntakeLimits,
    workdir: Path,
) -> Records:
    """Raises WorkFailure `dataset_invalid`."""
    order = _order(files)
    parts = [formats[place].read(files[place], spec, limits, workdir) for place in order]
    if len(parts) == 1:
        return without_units(Records(without_blank_rows(parts[0], workdir)), spec, workdir)
    train, test = parts
    if any(train.type_of(name) != test.type_of(name) for name in {*train.names} & {*test.names}):
        train, test = (part.as_text() if part.as_text else part for part in parts)
    train, test = (without_blank_rows(part, workdir) for part in (train, test))
    _check_columns(train, test, set(target_columns(spec, train.names)))
    if train.rows + test.rows > limits.items:
        refuse("too_many_items", f"expected at most {limits.items} rows together, got more")
    return without_units(Records(train, test), spec, workdir)


def _order(files: Sequence[RawFile]) -> list[int]:
    """Places of the training and of the test file."""
    if len(files) == 1:
        return [0]
    train = [place for place, file in enumerate(files) if TRAINING.search(file.name)]
    test = [place for place, file in enumerate(files) if TEST.search(file.name)]
    if len(files) == 2 and len(train) == len(test) == 1 and train != test:
        return [*train, *test]
    names = listed([file.name for file in files])
    detail = (
        f"expected one table, or two of which one has `train` and the other `test` in its name, "
        f"got {names}; join files into one, with a column that tells which rows are for testing, "
        'and say `split`: {"column": …} in the spec'
    )
    refuse("unknown_files", detail)


def _check_columns(train: FileRows, test: FileRows, labels: set[str]) -> None:
    """`labels`: columns that a test file may lack."""
    for one, other, needed in (
        (train, test, set(train.names) - labels),
        (test, train, set(test.names)),
    ):
        if absent := sorted(needed - set(other.names)):
            detail = (
                f"expected the columns of `{one.name}` in `{other.name}` too, got none named "
                f"{listed(absent)}"
            )
            refuse("missing_column", detail, absent[0])
    for name in test.names:
        mine, theirs = train.type_of(name), test.type_of(name)
        if mine != theirs and not (_is_number(mine) and _is_number(theirs)):
            detail = (
                f"expected the column `{name}` as {mine} in `{test.name}` as in `{train.name}`, "
                f"got {theirs}"
            )
            refuse("wrong_type", detail, name)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
