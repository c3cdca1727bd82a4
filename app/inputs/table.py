"""Rows of a table, by the names of their columns."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.errors import Invalid, invalid, token
from app.inputs.columns import MISSING, Column, numbers_seen
from app.inputs.contract import InputsContract, Sketch, sketched
from app.tensors import Tensors, TensorSpec

ROW = "row"  # the name of the one tensor
NAMED = 10  # columns in one sentence


class TableInputs(InputsContract):
    """One tensor `row`, a number per column: see app.inputs.columns."""

    member: ClassVar[str | None] = ROW
    tensor: ClassVar[str] = ROW
    has_references: ClassVar[bool] = True

    modality: Literal["table"] = "table"
    columns: tuple[Column, ...] = Field(description="those that a network sees, in their order")

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        return (TensorSpec(ROW, "float32", (len(self.columns),)),)

    @property
    def asked(self) -> tuple[TensorSpec, ...]:
        """A tensor per column, of one value each."""
        return tuple(TensorSpec(column.name, column.dtype, ()) for column in self.columns)

    def in_list(self, most: int) -> Self:
        return self.model_copy(update={"columns": self.columns[:most]})

    @property
    def summary(self) -> str:
        return f"{len(self.columns)} columns" if len(self.columns) != 1 else "1 column"

    @property
    def tokens(self) -> int:
        """Columns, and the phases of dates."""
        return len(self.columns) + sum(column.kind == "date" for column in self.columns)

    @property
    def layout(self) -> tuple[int, int, int]:
        return (1, 1, numbers_seen(self.columns))

    def differences(self, source: Self, resized: tuple[int, int] | None) -> list[str]:
        theirs = {(column.name, column.kind) for column in source.columns}
        if theirs & {(column.name, column.kind) for column in self.columns}:
            return []
        return [f"expected a column of the same name and kind as in the source, {_some(source)}"]

    def decode(self, items: Sequence[Any], at: str, first: int = 0) -> Tensors:
        """Objects by column names, every column in each -> float32 (n, columns)."""
        rows = np.empty((len(items), len(self.columns)), np.float32)
        for index, item in enumerate(items, first):
            rows[index - first] = self._row(item, f"{at}/{index}")
        return {ROW: rows}

    def column_reader(
        self, column: Column, at: str
    ) -> Callable[[Sequence[Any]], NDArray[np.float32]]:
        """Returns what reads one column by itself: values as JSON has them -> (n,), call by call.
        Raises Invalid.

        Args:
            at: a JSON pointer to the list of all values.
        """
        count = 0

        def read(values: Sequence[Any]) -> NDArray[np.float32]:
            nonlocal count
            numbers = np.empty(len(values), np.float32)
            for place, value in enumerate(values):
                try:
                    numbers[place] = MISSING if value is None else column.read(value)
                except (ValueError, OverflowError):
                    raise _wrong(column, f"{at}/{count + place}") from None
            count += len(values)
            return numbers

        return read

    def _row(self, item: Any, at: str) -> list[float]:
        if not isinstance(item, dict):
            detail = f"expected an object with a value or null for each column, {_some(self)}"
            raise invalid("not_a_row", detail, at)
        if len(item) != len(self.columns) or any(c.name not in item for c in self.columns):
            self.check_names(item, at)
        numbers = []
        for column in self.columns:
            value = item[column.name]
            try:
                numbers.append(MISSING if value is None else column.read(value))
            except (ValueError, OverflowError):
                raise _wrong(column, f"{at}/{token(column.name)}") from None
        return numbers

    def check_names(self, named: Mapping[str, Any], at: str) -> None:
        """Raises Invalid unless all columns are named, and nothing else. `at`: a JSON pointer."""
        known = {column.name: None for column in self.columns}
        for name in known:
            if name not in named:
                detail = (
                    f"expected the column `{name}` in each row, null where its value is missing"
                )
                raise invalid("missing_column", detail, f"{at}/{token(name)}")
        for name in named:
            if name not in known:
                detail = f"expected no columns but those the model was trained on, {_some(self)}"
                raise invalid("unknown_column", detail, f"{at}/{token(name)}")

    def preview(self, items: Tensors) -> list[dict[str, Any]]:
        return [
            {
                column.name: None if np.isnan(number) else column.shown(number)
                for column, number in zip(self.columns, row, strict=True)
            }
            for row in np.asarray(items[ROW])
        ]

    def raw(self, items: Tensors) -> list[Any]:
        """Rows as JSON has them."""
        return self.preview(items)

    def extremes(self, sample: Tensors) -> Tensors:
        """A row in which all is missing, and each column's extremes beside those of others."""
        each = [(MISSING, *column.extremes) for column in self.columns]
        rows = [[of[place % len(of)] for of in each] for place in range(max(map(len, each)))]
        return {ROW: np.array(rows, np.float32)}

    def sketch(self, items: Tensors) -> Sketch:
        """Some rows as they are, NaN where a value is missing: (min(n, 512), columns). Tables are
        compared in what both make of them (app.inputs.column_distance)."""
        rows = sketched(len(items[ROW]))
        return np.asarray(items[ROW])[rows].astype(np.float32)


def _some(inputs: TableInputs) -> str:
    names = [f"`{column.name}`" for column in inputs.columns]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _wrong(column: Column, at: str) -> Invalid:
    detail = f"expected {column.expected} in the column `{column.name}`"
    return invalid("invalid_value", detail, at)
