"""Files as PyTorch wrote them before it took to zip archives, made without PyTorch."""

import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pytest

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
FACTS = {"protocol_version": VERSION, "little_endian": True, "type_sizes": {}}
KINDS = {"float32": "FloatStorage", "int64": "LongStorage", "float16": "HalfStorage"}


class Tensor:
    """A view of a storage, `strides` in items."""

    def __init__(
        self,
        storage: np.ndarray,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int = 0,
        key: str = "0",
        claims: int | None = None,
    ) -> None:
        self.storage, self.shape, self.strides = storage, shape, strides
        self.offset, self.key, self.claims = offset, key, claims


class _Storage:
    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def legacy_file(monkeypatch: pytest.MonkeyPatch, tensors: Mapping[str, Tensor]) -> bytes:
    """A state dictionary of these, its storages behind it."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2(*_: Any) -> None: ...

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = (
        "torch._utils",
        "_rebuild_tensor_v2",
    )
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    for name in KINDS.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            if not isinstance(obj, _Storage):
                return None
            storage = obj.tensor.storage
            kind = getattr(torch, KINDS[storage.dtype.name])
            items = len(storage) if obj.tensor.claims is None else obj.tensor.claims
            return ("storage", kind, obj.tensor.key, "cpu", items, None)

        def reducer_override(self, obj: Any) -> Any:
            if not isinstance(obj, Tensor):
                return NotImplemented
            given = (_Storage(obj), obj.offset, obj.shape, obj.strides, False, OrderedDict())
            return _rebuild_tensor_v2, given

    out = BytesIO()
    for part in (MAGIC, VERSION, FACTS):
        pickle.dump(part, out, protocol=2)
    Pickler(out, protocol=2).dump(OrderedDict(tensors))
    storages = {tensor.key: tensor.storage for tensor in tensors.values()}
    pickle.dump([*storages], out, protocol=2)
    for storage in storages.values():
        out.write(len(storage).to_bytes(8, "little", signed=True) + storage.tobytes())
    return out.getvalue()


def with_object(pickled: bytes) -> bytes:
    """A file whose object is this pickle."""
    out = BytesIO()
    for part in (MAGIC, VERSION, FACTS):
        pickle.dump(part, out, protocol=2)
    return out.getvalue() + pickled + pickle.dumps([], protocol=2)
