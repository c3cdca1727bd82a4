"""Items of several parts without one of them, or without a part of one."""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.prediction.explaining.contract import Changes
from app.prediction.explaining.parts import OccludedPart, occluded_part
from app.prediction.explaining.schemas import JoinedContributions, PartContribution
from app.prediction.feeds import Part
from app.tensors import TensorBatch, Tensors


class OwnParts(NamedTuple):
    """A part that an item has, and it without its own parts."""

    part: JoinedPart
    occluded: OccludedPart


class OccludedItem:
    """The item without each part that it has, then each part without its own: these have an equal
    share of `most` each."""

    def __init__(
        self, inputs: JoinedInputs, item: Tensors, sent: Mapping[str, Any], most: int
    ) -> None:
        self._inputs, self._item = inputs, item
        had = [part for part in inputs.parts if part.known(item)[0]]
        share = (most - len(had)) // len(had)
        self._parts = [
            OwnParts(p, occluded_part(p.sent, p.of(item), sent[p.name], share)) for p in had
        ]
        self._ends = [*accumulate(len(own.occluded) for own in self._parts)]

    def __len__(self) -> int:
        return len(self._parts) + self._ends[-1]

    def rows(self, which: range) -> Part:
        batches = [*self._batches(which)]
        names = batches[0]
        return TensorBatch({n: np.concatenate([each[n] for each in batches]) for n in names})

    def _batches(self, which: range) -> Iterator[Tensors]:
        whole = len(self._parts)
        for place in which[: max(0, whole - which.start)]:
            yield self._inputs.without(self._item, {self._parts[place].part.name})
        for (part, occluded), end in zip(self._parts, self._ends, strict=True):
            first = whole + end - len(occluded)
            own = range(max(which.start, first) - first, min(which.stop, whole + end) - first)
            if not own:
                continue
            (tensor,) = part.inputs.tensors
            rows = {name: np.repeat(values, len(own), 0) for name, values in self._item.items()}
            yield rows | {f"{part.name}.{tensor.name}": np.asarray(occluded.rows(own))}

    def told(self, changes: Changes) -> JoinedContributions:
        whole = len(self._parts)
        is_alone = whole == 1  # without it nothing is left, which no model answers
        told = []
        for place, ((part, occluded), end) in enumerate(zip(self._parts, self._ends, strict=True)):
            own = changes[whole + end - len(occluded) : whole + end]
            if is_alone and occluded.leaves_nothing:
                own = [None] * len(own)
            told.append(
                PartContribution(
                    part=part.name,
                    contribution=None if is_alone else changes[place],
                    within=occluded.told(own),
                )
            )
        return JoinedContributions(parts=told)
