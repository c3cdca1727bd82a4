"""Bodies of the Open Inference Protocol for models of tables: a tensor per column.

A value is missing where `data` has null, a floating-point tensor NaN, or BYTES empty text, unless
that is one of the column's values in the training rows.
"""

from collections.abc import Callable, Iterator, Sequence
from math import floor, isnan
from typing import Any, NamedTuple

import numpy as np

from app.errors import LONGEST_NAME, BadRequest, Finding, Invalid, invalid
from app.inputs.table import TableInputs
from app.prediction import json_items
from app.prediction.json_envelope import validated
from app.prediction.json_lists import Lists
from app.prediction.protocols import open_inference_schemas as schemas
from app.prediction.protocols.open_inference_bodies import (
    DTYPES,
    JSON_LENGTH,
    Probabilities,
    check_output,
)
from app.prediction.protocols.open_inference_items import ItemsDecoder

AT_ONCE = 2**9  # values that one step takes
LENGTH_BYTES = 4  # before each value of BYTES
BOOL, BYTES = "BOOL", "BYTES"


class ColumnsDecoder(ItemsDecoder[TableInputs]):
    """Reads a tensor per column."""

    def _asked(
        self, output: str, document: Any, data: memoryview = memoryview(b"")
    ) -> json_items.Columns:
        """`data`: what follows the JSON. Raises BadRequest or Invalid."""
        request = validated(document, schemas.InferIn)
        check_output(request, output)
        self._check_names([tensor.name for tensor in request.inputs])
        sizes = [size_of(tensor) or 0 for tensor in request.inputs]
        if sum(sizes) != len(data):
            detail = f"expected {sum(sizes)} bytes after the JSON, as it says, got {len(data)}"
            raise BadRequest("invalid_body", detail)
        columns = {column.name: column for column in self.inputs.columns}
        values: dict[str, json_items.ColumnValues] = {}
        end = 0
        for place, (tensor, size) in enumerate(zip(request.inputs, sizes, strict=True)):
            start, end = end, end + size
            keeps_empty = columns[tensor.name].takes_empty_text
            own = ColumnTensor(tensor, f"#/inputs/{place}", data[start:end], keeps_empty)
            own.check()
            values[tensor.name] = own
        return json_items.Columns(
            Probabilities(request.id, request.is_binary_wanted), "#/inputs", values
        )

    def _check_names(self, names: Sequence[str]) -> None:
        """Raises BadRequest unless there is a tensor for each column, and no other."""
        known = {column.name for column in self.inputs.columns}
        for place, name in enumerate(names):
            at = f"#/inputs/{place}/name"
            if name not in known:
                detail = (
                    f"expected a tensor for each column of the model's metadata and no other, got "
                    f"`{name[:LONGEST_NAME]}`"
                )
                raise BadRequest("unknown_column", detail, Finding(detail, at))
            if name in names[:place]:
                detail = f"expected one tensor for the column `{name}`, got two"
                raise BadRequest("repeated_column", detail, Finding(detail, at))
        for column in self.inputs.columns:
            if column.name not in names:
                detail = f"expected a tensor for the column `{column.name}`, got none"
                raise BadRequest("missing_column", detail, Finding(detail, "#/inputs"))


class ColumnTensor(NamedTuple):
    """The values of one column. `pointer`: to the tensor; `bytes`: its data after the JSON;
    `keeps_empty`: whether empty text is a value, and does not mean that one is missing."""

    tensor: schemas.RequestInput
    pointer: str
    bytes: memoryview
    keeps_empty: bool

    @property
    def at(self) -> str:
        return f"{self.pointer}/data"

    def check(self) -> None:
        """Raises Invalid where shape, size and data do not go together."""
        shape, size = self.tensor.shape, size_of(self.tensor)
        if len(shape) not in {1, 2} or shape[0] < 1 or shape[1:] not in ([], [1]):
            raise invalid("wrong_shape", "expected [n] or [n, 1]", f"{self.pointer}/shape")
        self.check_source()
        width = _WIDTHS.get(self.tensor.datatype)
        if size is not None and width is not None and size != width * shape[0]:
            wanted = f"{width * shape[0]} bytes for {self.tensor.datatype} of {shape}"
            detail = f"expected {wanted}, got {size}"
            raise invalid("wrong_shape", detail, f"{self.pointer}/parameters/binary_data_size")

    def check_source(self) -> None:
        """Raises Invalid unless the values stand in the JSON, or else after it."""
        size = size_of(self.tensor)
        if (self.tensor.data is None) == (size is None):
            got = "both" if size is not None else "none"
            detail = (
                f"expected `data`, or `binary_data_size` and the header {JSON_LENGTH}, got {got}"
            )
            raise invalid("missing_field" if size is None else "invalid_value", detail, self.at)

    def batches(self, lists: Lists) -> Iterator[list[Any]]:
        """Batches of as many values as the shape says. Raises Invalid."""
        count = 0
        data = self.tensor.data
        for batch in self._binary() if data is None else self._listed(lists.batches(data, self.at)):
            count += len(batch)
            yield batch
        if count != self.tensor.shape[0]:
            detail = f"expected {self.tensor.shape[0]} values for the shape, got {count}"
            raise invalid("wrong_shape", detail, self.at)

    def _listed(self, batches: Iterator[list[Any]]) -> Iterator[list[Any]]:
        is_of = _is_of(self.tensor.datatype)
        is_nested = len(self.tensor.shape) == 2
        count = 0
        for batch in batches:
            values = [_inner(value) for value in batch] if is_nested else batch
            for place, value in enumerate(values, count):
                if value is not None and not is_of(value):
                    detail = (
                        f"expected values of {self.tensor.datatype}, as `datatype` says, or null"
                    )
                    raise invalid("not_of_datatype", detail, f"{self.at}/{place}")
            count += len(values)
            yield self._known(values) if self.tensor.datatype == BYTES else values

    def _binary(self) -> Iterator[list[Any]]:
        if self.tensor.datatype == BYTES:
            return self._texts()
        if self.tensor.datatype == BOOL:
            return self._numbers(np.dtype(np.bool_))
        return self._numbers(DTYPES[self.tensor.datatype])

    def _numbers(self, dtype: np.dtype[Any]) -> Iterator[list[Any]]:
        values = np.frombuffer(self.bytes, np.uint8 if dtype == np.bool_ else dtype)
        for start in range(0, len(values), AT_ONCE):
            some = values[start : start + AT_ONCE]
            if dtype == np.bool_:
                if (some > 1).any():
                    detail = "expected 0 or 1 for each value of BOOL, got other bytes"
                    raise invalid("not_of_datatype", detail, f"{self.at}/{start}")
                yield some.astype(np.bool_).tolist()
            elif dtype.kind == "f":
                yield [None if isnan(value) else value for value in some.tolist()]
            else:
                yield some.tolist()

    def _texts(self) -> Iterator[list[Any]]:
        """Each a length, four bytes, and as many bytes of UTF-8."""
        texts: list[Any] = []
        at = count = 0
        while at < len(self.bytes):
            start = at + LENGTH_BYTES
            at = start + int.from_bytes(self.bytes[at:start], "little")
            if at > len(self.bytes) or start > len(self.bytes):
                raise self._wrong("a length and as many bytes", count)
            try:
                texts.append(str(self.bytes[start:at], "utf-8"))
            except UnicodeDecodeError:
                raise self._wrong("UTF-8", count) from None
            count += 1
            if len(texts) == AT_ONCE:
                yield self._known(texts)
                texts = []
        yield self._known(texts)

    def _wrong(self, expected: str, place: int) -> Invalid:
        detail = f"expected {expected} for each value of BYTES, got other bytes"
        return invalid("not_of_datatype", detail, f"{self.at}/{place}")

    def _known(self, texts: list[Any]) -> list[Any]:
        return texts if self.keeps_empty else [text or None for text in texts]


_WIDTHS = {BOOL: 1} | {name: dtype.itemsize for name, dtype in DTYPES.items()}


def size_of(tensor: schemas.RequestInput) -> int | None:
    return tensor.parameters.binary_data_size if tensor.parameters else None


def _inner(value: Any) -> Any:
    """Reads a row of [n, 1], which may be written with brackets or without."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _is_of(datatype: str) -> Callable[[Any], bool]:
    if datatype == BYTES:
        return lambda value: type(value) is str
    if datatype == BOOL:
        return lambda value: type(value) is bool
    dtype = DTYPES[datatype]
    if dtype.kind == "f":
        return lambda value: type(value) in {int, float}
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    return lambda value: (
        type(value) in {int, float} and floor(value) == value and low <= value <= high
    )
