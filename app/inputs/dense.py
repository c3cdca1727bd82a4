"""Items that are one array of numbers each, and such arrays as JSON has them."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.errors import invalid
from app.inputs.contract import InputsContract, Range
from app.inputs.value_range import ValueStatistics, value_range
from app.tensors import Dtype, Tensors, TensorSpec

UNIT = (0.0, 1.0)
SHOWN_LENGTHS = 8


class DenseInputs(InputsContract):
    """A modality whose items are one tensor `tensor`, all of whose values have one range."""

    tensor: ClassVar[str]

    shape: tuple[int, ...]
    dtype: str = Field(description="of the raw values, `uint8` or `float32`")
    value_range: tuple[float, float] | None = Field(
        None,
        description="raw values that become 0 and 1 before the network sees them; null where that "
        "is not known, as in models of earlier releases",
    )

    @classmethod
    @abstractmethod
    def item_shape(cls, shape: tuple[int, ...], name: str) -> tuple[int, ...]:
        """The shape of one stored item, of an uploaded array's.

        Args:
            shape: (items, …) of the array `name`.

        Raises:
            Invalid: `shape_mismatch` or `too_large`; such an array holds no items of this modality.
        """

    @classmethod
    def fit(
        cls, shape: tuple[int, ...], dtype: str, seen: ValueStatistics, given: Range | None
    ) -> Self:
        """Returns what is learnt of the training rows, as they are stored; `given`: the range that
        the upload's spec says."""
        fitted = {"shape": shape, "dtype": dtype, "value_range": given or value_range(seen)}
        return cls.model_validate(fitted)

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        return (TensorSpec(self.tensor, cast(Dtype, self.dtype), self.shape),)

    @property
    def summary(self) -> str:
        return "x".join(map(str, self.shape))

    @property
    def range(self) -> Range:
        """`value_range`, or 0 to 1 where it is not known."""
        return self.value_range or UNIT

    def decode(self, items: Sequence[Any], at: str, first: int = 0) -> Tensors:
        """Nested arrays of numbers -> float32 (n, *shape)."""
        column = np.empty((len(items), *self.shape), np.float32)
        for index, item in enumerate(items):
            values = _array(item, taken_shapes(self.shape), f"{at}/{first + index}")
            column[index] = values.reshape(self.shape)
        return {self.tensor: column}

    def extremes(self, sample: Tensors) -> Tensors:
        """All zeros, all at the sample's lowest and all at its highest value: (3, *shape)."""
        seen = np.asarray(sample[self.tensor], np.float32)
        values = np.array([0, seen.min(), seen.max()], np.float32)
        return {self.tensor: np.ones((3, *self.shape), np.float32) * _along(values, self.shape)}

    def of_model(self, sample: Tensors) -> Self:
        """No range where the network saw nothing above 1 of one that goes further, as it could in
        data of earlier releases, 0 and 1 as uint8: nothing can be held against that range."""
        is_small = sample[self.tensor].max() <= 1 < self.range[1]
        return self.model_copy(update={"value_range": None if is_small else self.range})


def taken_shapes(shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Shapes in which an item of a shape may come, in JSON and as an array: a single channel may be
    left out."""
    return (shape, shape[:-1]) if len(shape) > 1 and shape[-1] == 1 else (shape,)


def _along(values: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """One value for each item of a shape."""
    return values.reshape(-1, *[1] * len(shape))


def _array(item: Any, shapes: Sequence[tuple[int, ...]], at: str) -> NDArray[np.float64]:
    lengths = lengths_of(item)
    if lengths not in shapes:
        expected = " or ".join(str([*shape]) for shape in shapes)
        got = [*lengths] if len(lengths) <= SHOWN_LENGTHS else f"{len(lengths)} dimensions"
        raise invalid("wrong_shape", f"expected an array of shape {expected}, got {got}", at)
    check_numbers(item, lengths, at)
    values = np.asarray(item, np.float64)
    with np.errstate(over="ignore"):  # what does not fit becomes infinite
        wrong = ~np.isfinite(values.astype(np.float32))
    if wrong.any():
        place = "/".join(map(str, np.unravel_index(int(wrong.argmax()), wrong.shape)))
        detail = f"expected finite float32 values, got {int(wrong.sum())} that are not"
        raise invalid("not_finite", detail, f"{at}/{place}" if lengths else at)
    return values


def lengths_of(nested: Any) -> tuple[int, ...]:
    """The lengths along the first element of each list."""
    lengths: list[int] = []
    while isinstance(nested, list):
        lengths.append(len(nested))
        nested = nested[0] if nested else None
    return tuple(lengths)


def check_numbers(nested: Any, shape: tuple[int, ...], at: str) -> None:
    """Raises Invalid at the first element that is not as `shape` says; `at` points to `nested`."""
    if not shape:
        if type(nested) not in {int, float}:
            raise invalid("not_a_number", f"expected a number, got {_kind(nested)}", at)
        return
    if not isinstance(nested, list) or len(nested) != shape[0]:
        got = f"an array of {len(nested)}" if isinstance(nested, list) else _kind(nested)
        raise invalid("ragged_inputs", f"expected an array of {shape[0]}, got {got}", at)
    for index, element in enumerate(nested):
        check_numbers(element, shape[1:], f"{at}/{index}")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {dict: "an object", list: "an array", str: "text", bool: "a boolean", bytes: "bytes"}
    return names.get(type(value), "a number")
