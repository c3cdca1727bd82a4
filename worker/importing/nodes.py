"""Calls of layers as config.json has them: which other calls' tensors each takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.spec.imported.structure import MOST_JOINED
from worker.importing.reading import Path
from worker.importing.refusing import refused

Key = tuple[str, int]  # a layer's name, and which of its calls
TENSOR = "__keras_tensor__"
KEYWORDS = {"mask": (None,), "training": (None, False), "attention_mask": (None,)}


@dataclass(frozen=True)
class Node:
    taken: tuple[Key, ...]
    path: Path


def node_of(raw: Any, path: Path, is_left_out: bool = False) -> Node:
    """One call; how a layer is called that is left out does not matter. Raises WorkFailure."""
    args = raw.get("args") if isinstance(raw, dict) else None
    kwargs = (raw.get("kwargs") or {}) if isinstance(raw, dict) else None
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise refused("invalid_config", "expected a call with args and kwargs", *path)
    for name, value in () if is_left_out else kwargs.items():
        if name not in KEYWORDS or value not in KEYWORDS[name]:
            detail = (
                f"expected calls with no more than {', '.join(KEYWORDS)}, and none of a layer in "
                "training mode"
            )
            raise refused("unknown_argument", detail, *path, "kwargs", name)
    if len(args) != 1:
        detail = f"expected a call on one tensor or one list of them, got {len(args)} arguments"
        raise refused("unknown_argument", detail, *path, "args")
    return Node(tuple(_taken(args[0], (*path, "args", 0))), path)


def _taken(raw: Any, path: Path) -> Iterator[Key]:
    given = raw if isinstance(raw, list) else [raw]
    if not 1 <= len(given) <= MOST_JOINED:
        detail = f"expected 1 to {MOST_JOINED} tensors, got {len(given)}"
        raise refused("invalid_config", detail, *path)
    for each in given:
        is_tensor = isinstance(each, dict) and each.get("class_name") == TENSOR
        config = each.get("config") if is_tensor else None
        history = config.get("keras_history") if isinstance(config, dict) else None
        yield end_of(history, path)


def end_of(raw: Any, path: Path) -> Key:
    """One tensor by the layer, the call and the output that it is of: [NAME, n, 0]. Raises
    WorkFailure."""
    one = raw[0] if isinstance(raw, list) and len(raw) == 1 else raw
    match one:
        case [str(name), int(call), 0] if not isinstance(call, bool):
            return name, call
    detail = "expected one tensor, by its layer's name, the number of its call and 0"
    raise refused("invalid_config", detail, *path)
