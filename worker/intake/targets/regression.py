"""Labels that are quantities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.tasks.regression import Regression
from worker.evaluation.measures.regression import quantile_codes
from worker.intake.raw import Array, refuse
from worker.intake.splits import SPLIT_SEED, Rows, random_split, stratified_split
from worker.intake.targets.contract import Stored

STEPS = 1e-3  # of their standard deviation, within which labels are stored


@dataclass(frozen=True)
class QuantityTarget:
    unit: str
    texts: Sequence[str] = ()
    ignores_names: bool = True

    def encode(self, labels: Array | None, items: int, split: str) -> Stored:
        """Returns (items,), float32; NaN without labels."""
        if labels is None:
            return np.full(items, np.nan, np.float32)
        array = f"y_{split}"
        if labels.dtype.kind not in "iuf":
            detail = (
                f"expected labels that are numbers in {array}, of which a quantity can be learnt, "
                f"got {labels.dtype}; {array}.astype(float) makes numbers of an array of text that "
                "holds some, pictures have them as `label` in metadata.csv; "
                '`task`: "classification" in the spec takes each label for a class'
            )
            refuse("wrong_type", detail, array)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            stored = labels.astype(np.float32)
        if count := int(np.isinf(stored).sum()):
            detail = (
                f"expected finite labels within ±3.4e38 in {array}, got {count} of {items} that "
                "are not; leave those items out, or mark them with NaN and `missing_label`: "
                '"nan" in the spec'
            )
            refuse("not_finite", detail, array)
        return stored

    def cut(self, y: Stored, fraction: float, seed: int = SPLIT_SEED) -> tuple[Rows, Rows]:
        """Cuts from every part of the quantity's range."""
        codes = quantile_codes(y, seed)
        if len(y) < 2:
            return random_split(len(y), fraction, seed)
        names = [f"part {code}" for code in range(int(codes.max()) + 1)]
        return stratified_split(codes.astype(np.int32), names, fraction, seed)

    def task(self, y: Mapping[str, Stored]) -> Regression:
        for split, held in y.items():
            known = held[~np.isnan(held)].astype(np.float64)
            if not len(known):
                continue
            if known.min() == known.max():
                detail = (
                    f"expected labels that differ in y_{split}, got {known[0]:g} for each of the "
                    f"{len(known)} items: there is nothing to learn"
                )
                refuse("constant_labels", detail, f"y_{split}")
            return Regression(unit=self.unit, mean=float(known.mean()), std=float(known.std()))
        return Regression(unit=self.unit, mean=0.0, std=1.0)

    def counts(self, y: Stored) -> tuple[int, ...]:
        return (int((~np.isnan(y)).sum()),)

    @property
    def part(self) -> str:
        return "part of the labels' range"

    def values(self, y: Stored) -> dict[str, float] | None:
        known = y[~np.isnan(y)].astype(np.float64)
        if not len(known):
            return None
        return {
            "low": float(known.min()),
            "high": float(known.max()),
            "mean": float(known.mean()),
            "std": float(known.std()),
            "median": float(np.median(known)),
        }

    def warnings(self, y: Mapping[str, Stored]) -> Sequence[str]:
        """Warns of labels that are too near to one another for their size: float32 has 24 bits."""
        known = y["train"][~np.isnan(y["train"])]
        if not len(known):
            return ()
        step, spread = float(np.spacing(np.abs(known).max())), float(known.std(dtype=np.float64))
        if step <= STEPS * spread:
            return ()
        return (
            f"The labels differ by {spread:.2g} (their standard deviation) and are stored to the "
            f"nearest multiple of {step:.2g}, as numbers of their size are: take away what they "
            "have in common before the upload.",
        )

    def codes(self, y: Mapping[str, Stored]) -> Mapping[str, NDArray[np.int32]]:
        values = np.unique(np.concatenate([held[~np.isnan(held)] for held in y.values()]))
        return {
            split: np.where(np.isnan(held), -1, np.searchsorted(values, held)).astype(np.int32)
            for split, held in y.items()
        }
