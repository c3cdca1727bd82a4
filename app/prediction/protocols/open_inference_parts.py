"""Bodies of the Open Inference Protocol for items of several parts: the tensors of each part.

A picture is one tensor `PART.image`, a row one `PART.COLUMN` of each column, a text `PART.text` of
BYTES. A part none of whose tensors are there is missing in all items; of some items a picture is
missing where its numbers are all NaN or null, a row where all its values are, a text where it is
of nothing.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.errors import LONGEST_NAME, BadRequest, Finding, invalid
from app.inputs.dense import check_numbers, taken_shapes
from app.inputs.image import IMAGE, ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.table import ROW, TableInputs
from app.inputs.text import TextInputs
from app.prediction.inputs import check_room, cut_items
from app.prediction.joined import MOST_COMMAS, TensorPlaces, is_light
from app.prediction.json_envelope import document_of, validated
from app.prediction.json_lists import Lists
from app.prediction.protocols import open_inference_schemas as schemas
from app.prediction.protocols.contract import BodyKind, Read, Steps
from app.prediction.protocols.open_inference_bodies import (
    DTYPES,
    LIGHTER,
    Probabilities,
    check_output,
    parts_of,
)
from app.prediction.protocols.open_inference_columns import BYTES, ColumnTensor, size_of
from app.prediction.served import Loaded
from app.tensors import TensorBatch

AT = "#/inputs"
HEAVY = (
    f"expected fewer than {MOST_COMMAS} values in JSON, got more: send them as {LIGHTER}, or fewer "
    "inputs a request"
)
Given = Mapping[str, tuple[ColumnTensor, str]]  # by names: the tensor, and a pointer to its data


class PartsDecoder(NamedTuple):
    """Reads the tensors of all parts. `json_length`: bytes of JSON, where binary data follow."""

    inputs: JoinedInputs
    json_length: int | None
    body: BodyKind = "files"

    def read(self, body: bytes, loaded: Loaded) -> Read:
        text, data = bytes(body), memoryview(b"")
        if self.json_length is not None:
            text, data = parts_of(body, self.json_length)
        if not is_light(text):
            raise invalid("too_large", HEAVY, "#")
        request = validated(document_of(text), schemas.InferIn)
        check_output(request, loaded.answers)
        given = self._given(request.inputs, data)
        count = request.inputs[0].shape[0]
        check_room(count, self.inputs, f"{AT}/0/shape")
        items: dict[str, npt.NDArray[Any]] = {}
        for part in self.inputs.parts:
            items |= _of_part(part, given, count)
        self.inputs.check_known(items, AT)
        pointers = {name: at for name, (_, at) in given.items()}
        encoder = Probabilities(request.id, request.is_binary_wanted)
        return Read(cut_items(TensorBatch(items)), encoder, TensorPlaces(AT, pointers))

    def read_in_steps(self, body: bytearray, loaded: Loaded) -> Steps[Read]:
        """Reads all at once: it is read in a thread."""
        yield
        return self.read(bytes(body), loaded)

    def _given(self, tensors: Sequence[schemas.RequestInput], data: memoryview) -> Given:
        """Raises BadRequest or Invalid."""
        known = {tensor.name for tensor in self.inputs.asked}
        found: dict[str, tuple[ColumnTensor, str]] = {}
        sizes = [size_of(tensor) or 0 for tensor in tensors]
        if sum(sizes) != len(data):
            detail = f"expected {sum(sizes)} bytes after the JSON, as it says, got {len(data)}"
            raise BadRequest("invalid_body", detail)
        end = 0
        for place, (tensor, size) in enumerate(zip(tensors, sizes, strict=True)):
            start, end, at = end, end + size, f"{AT}/{place}"
            if tensor.name not in known or tensor.name in found:
                detail = (
                    f"expected tensors of the model's metadata, each once, got "
                    f"`{tensor.name[:LONGEST_NAME]}`"
                )
                raise BadRequest("unknown_tensor", detail, Finding(detail, f"{at}/name"))
            if not tensor.shape or tensor.shape[0] != tensors[0].shape[0] or tensor.shape[0] < 1:
                detail = "expected as many items in each tensor, one or more, the batch first"
                raise invalid("wrong_shape", detail, f"{at}/shape")
            own = ColumnTensor(tensor, at, data[start:end], keeps_empty=True)
            found[tensor.name] = own, own.at
        return found


def _of_part(part: JoinedPart, given: Given, count: int) -> dict[str, npt.NDArray[Any]]:
    """Tensors of all items, by an item's names. Raises Invalid."""
    own = {
        tensor.name: given[name][0]
        for tensor in part.inputs.asked
        if (name := f"{part.name}.{tensor.name}") in given
    }
    if not own:
        return part.placed(part.nothing(0), np.zeros(count, np.bool_))
    match part.sent:
        case ImageInputs() as inputs:
            values = _pictures(own[IMAGE], inputs)
            known = ~_all_nan(values)
            return part.placed({IMAGE: values[known]}, known)
        case TableInputs() as inputs:
            rows = _rows(own, inputs, part)
            return part.placed({ROW: rows}, np.ones(count, np.bool_))
        case TextInputs() as inputs:
            tensor = own[inputs.tensor]
            read = inputs.decode_any(_texts(tensor), tensor.at)
            return part.placed(read, np.ones(count, np.bool_))


def _pictures(tensor: ColumnTensor, inputs: ImageInputs) -> npt.NDArray[np.float32]:
    """(n, *shape). Raises Invalid."""
    stated, size = tuple(tensor.tensor.shape), size_of(tensor.tensor)
    if stated[1:] not in taken_shapes(inputs.shape):
        detail = f"expected [n, {', '.join(map(str, inputs.shape))}], got {list(stated)[:8]}"
        raise invalid("wrong_shape", detail, f"{tensor.pointer}/shape")
    dtype = DTYPES.get(tensor.tensor.datatype)
    if dtype is None:
        detail = f"expected numbers, got {tensor.tensor.datatype}"
        raise invalid("not_of_datatype", detail, f"{tensor.pointer}/datatype")
    tensor.check_source()
    data, wanted = tensor.tensor.data, math.prod(stated)
    if data is None:
        if size != wanted * dtype.itemsize:
            detail = f"expected {wanted * dtype.itemsize} bytes for {list(stated)}, got {size}"
            raise invalid("wrong_shape", detail, f"{tensor.pointer}/parameters")
        values = np.frombuffer(tensor.bytes, dtype)
    else:
        flat = len(data) == wanted and not isinstance(data[0], list)
        numbers = [math.nan if each is None else each for each in data] if flat else data
        check_numbers(numbers, (wanted,) if flat else stated, tensor.at)
        values = np.asarray(numbers, np.float64)
        _check_datatype(values[~np.isnan(values)], dtype, tensor)
    with np.errstate(over="ignore"):  # what does not fit becomes infinite
        found: npt.NDArray[np.float32] = values.astype(np.float32).reshape(-1, *inputs.shape)
    wrong = np.isinf(found).any() or (np.isnan(found).any(axis=(1, 2, 3)) & ~_all_nan(found)).any()
    if wrong:
        detail = "expected finite float32 values, or NaN in all of a picture that is missing"
        raise invalid("not_finite", detail, tensor.at)
    return found


def _check_datatype(known: npt.NDArray[np.float64], dtype: np.dtype[Any], at: ColumnTensor) -> None:
    """Raises Invalid where a number is none of what the tensor says they are."""
    if dtype.kind == "f":
        return
    limits = np.iinfo(dtype)
    if ((known != np.rint(known)) | (known < limits.min) | (known > limits.max)).any():
        detail = (
            f"expected whole numbers from {limits.min} to {limits.max}, as `datatype` says, or "
            "null, got others: say FP32 where there are fractions"
        )
        raise invalid("not_of_datatype", detail, at.at)


def _all_nan(pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isnan(pictures).reshape(len(pictures), -1).all(axis=1))


def _rows(
    own: Mapping[str, ColumnTensor], inputs: TableInputs, part: JoinedPart
) -> npt.NDArray[np.float32]:
    """(n, columns). Raises Invalid or BadRequest."""
    columns = []
    for column in inputs.columns:
        if column.name not in own:
            detail = (
                f"expected a tensor for the column `{part.name}.{column.name}` beside the others "
                "of its part, got none"
            )
            raise BadRequest("missing_column", detail, Finding(detail, AT))
        tensor = own[column.name]._replace(keeps_empty=column.takes_empty_text)
        tensor.check()
        read = inputs.column_reader(column, tensor.at)
        columns.append(np.concatenate([read(batch) for batch in tensor.batches(Lists(None))]))
    return np.stack(columns, axis=1)


def _texts(tensor: ColumnTensor) -> list[str]:
    if tensor.tensor.datatype != BYTES:
        detail = f"expected BYTES, as texts have it, got {tensor.tensor.datatype}"
        raise invalid("not_of_datatype", detail, f"{tensor.pointer}/datatype")
    tensor.check()
    return [text or "" for batch in tensor.batches(Lists(None)) for text in batch]
