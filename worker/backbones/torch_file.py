"""Tensors of a PyTorch file of the legacy format, read without PyTorch and without running it.

Such a file is five pickles (a magic number, a version, the machine's facts, the object, the keys of
its storages) and then the storages' bytes, each after its length. The unpickler knows three kinds
of names: an ordered dictionary, the function that makes a tensor, and the types of storages. It
refuses every other, and what it makes are plain numbers: where in which storage a tensor stands.
"""

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
DTYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "ByteStorage": np.dtype("<u1"),
    "CharStorage": np.dtype("<i1"),
    "BoolStorage": np.dtype("?"),
}
MOST_DIMENSIONS = 8
LENGTH = 8  # bytes of a storage's length
Tensors = dict[str, NDArray[Any]]


class NoTensorFile(ValueError):
    """The file is not a state dictionary, or wants something else than tensors to be made."""


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]
    items: int


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor: places in a storage, `strides` counted in items."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def end(self) -> int:
        """One past the last place that is read."""
        if 0 in self.shape:
            return 0
        steps = zip(self.shape, self.strides, strict=True)
        return self.offset + sum((size - 1) * stride for size, stride in steps) + 1


class _MakesViews:
    """Stands for torch._utils._rebuild_tensor_v2. Without attributes: a pickle may try to set
    some of whatever it has named."""

    __slots__ = ()

    def __call__(self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _View:
        numbers = (offset, *shape, *strides)
        if not isinstance(storage, _Storage) or any(type(n) is not int or n < 0 for n in numbers):
            raise NoTensorFile("expected a tensor of a storage, with whole numbers for its places")
        if len(shape) != len(strides) or len(shape) > MOST_DIMENSIONS:
            raise NoTensorFile("expected a tensor with as many strides as dimensions")
        return _View(storage, offset, tuple(shape), tuple(strides))


class _Tensors(pickle.Unpickler):
    """Makes ordered dictionaries, views of storages and plain values, nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return _MakesViews()
            case "torch", _ if name in DTYPES:
                return name  # a plain string: what a pickle could change of it is nothing
        raise NoTensorFile(f"expected names of tensors, got {module}.{name}"[:200])

    def persistent_load(self, given: Any) -> _Storage:
        match given:
            case ("storage", str(kind), str(key), str(), int(items), *_) if kind in DTYPES:
                if items >= 0:
                    return _Storage(key, DTYPES[kind], items)
        raise NoTensorFile("expected a persistent id that is a storage")


def read_tensors(path: Path) -> Tensors:
    """The tensors of a state dictionary by their names. Raises NoTensorFile, OSError."""
    with path.open("rb") as file:
        try:
            return _read(file, path.stat().st_size)
        except (NoTensorFile, OSError):
            raise
        except Exception as error:  # a pickle may fail in any way: none is this program's
            raise NoTensorFile(
                f"expected a file of tensors, got one that ends in {error!r}"
            ) from error


def _read(file: BinaryIO, size: int) -> Tensors:
    if (_Tensors(file).load(), _Tensors(file).load()) != (MAGIC, VERSION):
        raise NoTensorFile("expected a PyTorch file of the legacy format")
    _Tensors(file).load()  # byte order and sizes of the machine's numbers
    views, keys = _Tensors(file).load(), _Tensors(file).load()
    if not isinstance(views, dict) or not all(isinstance(v, _View) for v in views.values()):
        raise NoTensorFile("expected a dictionary of tensors alone")
    if not isinstance(keys, list):
        raise NoTensorFile("expected a list of the storages' keys")
    wanted = {view.storage.key: view.storage for view in views.values()}
    stored = {key: _stored(file, wanted[key], size) for key in keys}
    return {str(name): _seen(stored[view.storage.key], view) for name, view in views.items()}


def _stored(file: BinaryIO, storage: _Storage, size: int) -> NDArray[Any]:
    items = int.from_bytes(file.read(LENGTH), "little", signed=True)
    count = items * storage.dtype.itemsize
    if items != storage.items or count > size - file.tell():
        raise NoTensorFile(f"expected a storage of {storage.items} items, as its tensors have it")
    return np.frombuffer(file.read(count), storage.dtype)


def _seen(storage: NDArray[Any], view: _View) -> NDArray[Any]:
    if view.end > len(storage):
        raise NoTensorFile("expected tensors within their storages, got one that reaches beyond")
    size = int(np.prod(view.shape, dtype=object))
    if size > len(storage):
        raise NoTensorFile("expected tensors no larger than their storages")
    strides = [stride * storage.itemsize for stride in view.strides]
    return np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides).copy()
