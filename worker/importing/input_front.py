"""Layers in front of an imported network: pictures 0..1 become what it was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from app.errors import FailureCode, WorkFailure
from app.models.importing import ImportSpec, Standardised
from app.spec.imported.forms import Flatten, Reshape
from app.spec.imported.kinds import Kind
from app.spec.imported.layer import Shape
from app.spec.imported.values import Rescaling
from worker.importing.refusing import IMPORT


@dataclass(frozen=True)
class Front:
    layers: tuple[Kind, ...]
    shape: Shape  # of what the network takes


def front_of(
    spec: ImportSpec, picture: tuple[int, int, int], declared: Sequence[int | None] | None
) -> Front:
    """Args:
        declared: what the file says of the network's input, without the batch.

    Raises:
        WorkFailure: `shape_mismatch` where such a network does not take such pictures.
    """
    layers: list[Kind] = []
    height, width, channels = picture
    if (scaling := _scaling(spec, channels)) is not None:
        layers.append(scaling)
    if declared is None or _takes(declared, picture):
        return Front(tuple(layers), picture)
    if channels == 1 and _takes(declared, (height, width)):
        layers.append(Reshape(kind="Reshape", target_shape=(height, width)))
        return Front(tuple(layers), (height, width))
    if _takes(declared, (prod(picture),)):
        layers.append(Flatten(kind="Flatten"))
        return Front(tuple(layers), (prod(picture),))
    sides = "x".join("?" if side is None else str(side) for side in declared)
    detail = (
        f"expected pictures (height, width, channels) for a network that takes {sides}, got "
        f"{height}x{width}x{channels}; channels are last"
    )
    raise _refused("shape_mismatch", detail, "#/spec/inputs/shape")


def _takes(declared: Sequence[int | None], shape: Shape) -> bool:
    pairs = zip(declared, shape, strict=False)
    return len(declared) == len(shape) and all(side in (None, own) for side, own in pairs)


def _scaling(spec: ImportSpec, channels: int) -> Rescaling | None:
    expects = spec.inputs.expects
    if isinstance(expects, Standardised):
        for name in ("mean", "std"):
            if (got := len(getattr(expects, name))) not in {1, channels}:
                detail = f"expected 1 or {channels} numbers, one per channel, got {got}"
                raise _refused("shape_mismatch", detail, f"#/spec/inputs/expects/{name}")
        sides = max(len(expects.mean), len(expects.std))
        means, stds = (each * (sides // len(each)) for each in (expects.mean, expects.std))
        scale = tuple(1 / std for std in stds)
        offset = tuple(-mean / std for mean, std in zip(means, stds, strict=True))
        return Rescaling(kind="Rescaling", scale=scale, offset=offset)
    low, high = expects
    if (low, high) == (0.0, 1.0):
        return None
    return Rescaling(kind="Rescaling", scale=high - low, offset=low)


def _refused(reason: str, detail: str, pointer: str) -> WorkFailure:
    return WorkFailure(
        FailureCode.MODEL_INVALID, detail, stage=IMPORT, reason=reason, pointer=pointer
    )
