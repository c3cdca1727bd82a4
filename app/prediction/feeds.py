"""Feeds of a packaged graph: one tensor `inputs`, or several by their names, of any dtype.

A graph says itself what it takes. An axis that it leaves open beside that of the items is free:
what runs together is padded with zeros to the longest there is. So a graph of texts takes another
tensor too, as `attention_mask`, that tells values from padding.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from app.tensors import TensorBatch

Array = npt.NDArray[np.float32]
Part: TypeAlias = npt.NDArray[Any] | TensorBatch  # items as a decoder gives them, (n, …) each
Fed: TypeAlias = npt.NDArray[Any] | TensorBatch  # items as a graph takes them
Prepare = Callable[[Part], Part]

ONE = "inputs"  # the name of the only input of a graph
FREE_BYTES = 2**16  # of tensors with free axes, padded, that go through at once: 8 texts of 512 ids
DTYPES: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}


class GraphFeed(ABC):
    """Way of items to a graph's inputs."""

    @abstractmethod
    def prepared(self, part: Part) -> Fed:
        """Items as decoded -> in the dtypes of the graph, contiguous."""

    @abstractmethod
    def joined(self, batches: Sequence[Fed]) -> Fed:
        """All items of some batches, in their order."""

    @abstractmethod
    def run(self, runtime: Any, inputs: Fed) -> Array:
        """The graph's one output, (n, outputs)."""

    @abstractmethod
    def stored(self, inputs: Fed) -> dict[str, npt.NDArray[Any]]:
        """Golden inputs by the names that they have in a package."""

    @abstractmethod
    def read(self, package: Mapping[str, npt.NDArray[Any]]) -> Fed:
        """Golden inputs of a package. Raises KeyError."""


class OneTensor(GraphFeed):
    """The input `inputs`, (n, *shape)."""

    def __init__(self, dtype: type[np.generic] = np.float32) -> None:
        self._dtype = dtype

    def prepared(self, part: Part) -> Fed:
        return np.ascontiguousarray(part, self._dtype)

    def joined(self, batches: Sequence[Fed]) -> Fed:
        return np.concatenate(batches)  # type: ignore[arg-type]  # all are arrays

    def run(self, runtime: Any, inputs: Fed) -> Array:
        answer: Array = runtime.run(None, {ONE: inputs})[0]
        return answer

    def stored(self, inputs: Fed) -> dict[str, npt.NDArray[Any]]:
        assert isinstance(inputs, np.ndarray)
        return {ONE: inputs}

    def read(self, package: Mapping[str, npt.NDArray[Any]]) -> Fed:
        return package[ONE]


DENSE = OneTensor()


class GraphTensor(NamedTuple):
    """One of several inputs. `shape`: of one item, None for a free axis."""

    name: str
    dtype: type[np.generic]
    shape: tuple[int | None, ...]


class SeveralTensors(GraphFeed):
    """Inputs of any names, dtypes and shapes, each (n, *shape)."""

    def __init__(self, tensors: Sequence[GraphTensor]) -> None:
        self._tensors = tuple(tensors)
        self._has_free_axes = any(None in tensor.shape for tensor in tensors)

    def prepared(self, part: Part) -> Fed:
        """Raises KeyError where a tensor is not there, ValueError where one has another shape."""
        assert isinstance(part, TensorBatch)
        given = {}
        for name, dtype, shape in self._tensors:
            values = np.ascontiguousarray(part.tensors[name], dtype)
            got = values.shape[1:]
            if len(got) != len(shape) or any(
                length not in (None, own) for length, own in zip(shape, got, strict=True)
            ):
                raise ValueError(f"expected `{name}` of shape {shape}, got {got}")
            given[name] = values
        return TensorBatch(given)

    def joined(self, batches: Sequence[Fed]) -> Fed:
        named: dict[str, list[npt.NDArray[Any]]] = {name: [] for name, _, _ in self._tensors}
        for batch in batches:
            assert isinstance(batch, TensorBatch)
            for name, values in named.items():
                values.append(batch.tensors[name])
        return TensorBatch({name: np.concatenate(padded(each)) for name, each in named.items()})

    def run(self, runtime: Any, inputs: Fed) -> Array:
        """Runs a graph, with free axes a few at a time: what an engine holds grows with the
        padding."""
        assert isinstance(inputs, TensorBatch)
        rows = len(inputs)
        if self._has_free_axes:
            rows = max(1, FREE_BYTES * rows // max(1, inputs.nbytes))
        answers = [
            runtime.run(None, dict(inputs[at : at + rows].tensors))[0]
            for at in range(0, len(inputs), rows)
        ]
        return answers[0] if len(answers) == 1 else np.concatenate(answers)

    def stored(self, inputs: Fed) -> dict[str, npt.NDArray[Any]]:
        assert isinstance(inputs, TensorBatch)
        return {f"{ONE}.{name}": values for name, values in inputs.tensors.items()}

    def read(self, package: Mapping[str, npt.NDArray[Any]]) -> Fed:
        return TensorBatch({name: package[f"{ONE}.{name}"] for name, _, _ in self._tensors})


@dataclass(frozen=True)
class Preparing(GraphFeed):
    """Items that have to become something else first, as texts become ids."""

    _feed: GraphFeed
    _prepare: Prepare

    def prepared(self, part: Part) -> Fed:
        return self._feed.prepared(self._prepare(part))

    def joined(self, batches: Sequence[Fed]) -> Fed:
        return self._feed.joined(batches)

    def run(self, runtime: Any, inputs: Fed) -> Array:
        return self._feed.run(runtime, inputs)

    def stored(self, inputs: Fed) -> dict[str, npt.NDArray[Any]]:
        return self._feed.stored(inputs)

    def read(self, package: Mapping[str, npt.NDArray[Any]]) -> Fed:
        return self._feed.read(package)


def feed_of(runtime: Any, prepare: Prepare | None = None) -> GraphFeed:
    """Returns what a loaded graph is fed with.

    Args:
        runtime: an ONNX Runtime session.
        prepare: what decoded items go through first.

    Raises:
        ValueError: it takes a tensor of a type that no item has.
    """
    takes = [
        GraphTensor(
            each.name,
            _dtype_of(each.type),
            tuple(length if isinstance(length, int) else None for length in each.shape[1:]),
        )
        for each in runtime.get_inputs()
    ]
    is_one = len(takes) == 1 and takes[0].name == ONE and None not in takes[0].shape
    feed = OneTensor(takes[0].dtype) if is_one else SeveralTensors(takes)
    return Preparing(feed, prepare) if prepare else feed


def padded(arrays: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """Arrays (n, …) of one number of axes, with zeros behind, so that items are of one shape."""
    shapes = [values.shape[1:] for values in arrays]
    if len(set(shapes)) == 1:
        return list(arrays)
    longest = np.max(shapes, axis=0)
    return [
        np.pad(values, [(0, 0), *((0, int(gap)) for gap in longest - values.shape[1:])])
        for values in arrays
    ]


def _dtype_of(kind: str) -> type[np.generic]:
    if kind not in DTYPES:
        raise ValueError(f"expected inputs of {', '.join(DTYPES)}, got {kind}")
    return DTYPES[kind]
