"""Batches that are too small for the network."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from app.datasets.schemas import Schema
from app.errors import Finding
from app.spec.networks import normalises
from app.spec.sources import SourceFacts
from app.spec.training import held_out

if TYPE_CHECKING:
    from app.spec.spec import JobSpec

FEWEST = 2  # items in a batch: BatchNorm makes 0 of the features of a single one


def batch_findings(
    spec: "JobSpec", sources: Sequence[SourceFacts], target: Schema
) -> Iterator[tuple[str, Finding]]:
    if not normalises(spec, sources, target):
        return
    cure = "or a network without it: the backbone mlp with `bottleneck` null"
    if spec.training.batch_size < FEWEST:
        detail = (
            f"expected a batch_size of {FEWEST} or more for a network with BatchNorm, which tells "
            f"the items of a batch apart, got {spec.training.batch_size}; take a larger one, {cure}"
        )
        yield "batch_norm_needs_items", Finding(detail, "#/training/batch_size")
    # With labels there are two classes at least, and an item of each.
    items = target.splits.get("train", 0)
    left = items - held_out(items, spec.training.validation_fraction)
    if not spec.target.use_labels and 0 < left < FEWEST:
        detail = (
            f"expected {FEWEST} target items or more to train on for a network with BatchNorm, "
            f"which tells the items of a batch apart, got {left} of {items} after those held out "
            f"for validation; add items, {cure}"
        )
        yield "batch_norm_needs_items", Finding(detail, "#/target/dataset")
