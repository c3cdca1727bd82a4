"""What is kept of a trained trial: digests, which only the same kind of machine gives again, and a
few numbers, which every machine gives up to rounding."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
WEIGHTS = "norms of weights"
# What numbers may differ by, over the largest of those that stand together. Of outputs, other
# processors, more threads, XLA in the plain loop's place and the reverse changed 0.00008, and two
# strategies differ by 0.003. Of weights they changed 0.0004: a bias that BatchNorm takes away
# again has no gradient but rounding, and Adam makes whole steps of that.
RELATIVE, OF_WEIGHTS, ABSOLUTE = 5e-4, 2e-3, 1e-5
# Members of facts that came after marks were kept, and what they are where nothing is chosen: there
# they say no more than what was kept without them.
CAME_LATER = {"imbalance": None, "l2": 0.0}


class Marks(NamedTuple):
    """Of one trial. `digests`: of its weights, its outputs, and what it found out."""

    digests: list[str]
    numbers: dict[str, list[float]]


def marks_of(weights: Sequence[Array], outputs: Mapping[str, Array], facts: Any) -> Marks:
    """Marks that depend neither on how weights are called nor on their order.

    Args:
        weights: of the trained network, float32.
        outputs: of its outputs on some items, (n, …) each.
        facts: JSON; what is called `seconds` in it is left out.
    """
    told = dict(_leaves(facts))
    given = (
        sorted(_digest(each) for each in weights),
        {name: _digest(outputs[name]) for name in sorted(outputs)},
        told,
    )
    numbers = {WEIGHTS: sorted(_norm(each) for each in weights)}
    for name, array in outputs.items():
        numbers[f"norm and wave of {name}"] = [_norm(array), _wave(array)]
    for name, value in told.items():
        if isinstance(value, float):
            numbers[name] = [value]
    rounded = {name: [float(f"{n:.7g}") for n in each] for name, each in numbers.items() if each}
    return Marks([sha256(repr(each).encode()).hexdigest()[:16] for each in given], rounded)


def disagreement(
    expected: Mapping[str, Sequence[float]], got: Mapping[str, Sequence[float]]
) -> str:
    """Says which numbers differ by more than rounding; empty where none does."""
    for name in sorted({*expected, *got}):
        one, other = expected.get(name, ()), got.get(name, ())
        relative = OF_WEIGHTS if name == WEIGHTS else RELATIVE
        tolerance = ABSOLUTE + relative * max(map(abs, one), default=0.0)
        if len(one) != len(other) or not np.allclose(other, one, rtol=0, atol=tolerance):
            return f"{name}: expected {[*one]} within {tolerance:.2g}, got {[*other]}"
    return ""


def _digest(array: Array) -> str:
    """Of values and shape; integers of any width are alike."""
    if array.dtype.kind in "iu":
        array = array.astype(np.int64)
    return sha256(f"{array.dtype.str} {array.shape}".encode() + array.tobytes()).hexdigest()


def _norm(array: Array) -> float:
    return float(np.linalg.norm(array.astype(float)))


def _wave(array: Array) -> float:
    """A sum in which each place counts otherwise, so that it tells their order."""
    return float(np.cos(np.arange(array.size)) @ array.astype(float).ravel())


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name in sorted(value):
            is_told = name not in CAME_LATER or value[name] != CAME_LATER[name]
            if name != "seconds" and is_told:
                yield from _leaves(value[name], f"{path}/{name}")
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _leaves(each, f"{path}/{place}")
    else:
        yield path, value
