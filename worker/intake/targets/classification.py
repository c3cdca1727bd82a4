"""Labels that are classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.tasks.classification import Classification
from worker.intake.label_forms import check_whole
from worker.intake.labels import Classes, find_classes
from worker.intake.raw import Array
from worker.intake.splits import SPLIT_SEED, Rows, stratified_split
from worker.intake.tables.label_matrix import SEPARATORS
from worker.intake.targets.contract import Stored


@dataclass(frozen=True)
class ClassTarget:
    classes: Classes

    @classmethod
    def of(cls, labels: Mapping[str, Array | None], class_names: Array | None) -> "ClassTarget":
        """Raises WorkFailure `dataset_invalid`."""
        for split, held in labels.items():
            if held is not None:
                check_whole(held, f"y_{split}")
        return cls(find_classes(labels, class_names))

    @property
    def texts(self) -> tuple[str, ...]:
        return self.classes.texts

    @property
    def ignores_names(self) -> bool:
        return not self.classes.names

    def encode(self, labels: Array | None, items: int, split: str) -> Stored:
        return self.classes.encode(labels, items, split)

    def cut(self, y: Stored, fraction: float, seed: int = SPLIT_SEED) -> tuple[Rows, Rows]:
        return stratified_split(y, self.classes.names, fraction, seed)

    def task(self, y: Mapping[str, Stored]) -> Classification:
        return Classification(classes=self.classes.names)

    def counts(self, y: Stored) -> tuple[int, ...]:
        shifted = np.bincount(y + 1, minlength=len(self.classes.names) + 1)  # it takes no -1
        return tuple(shifted[1:].tolist())

    @property
    def part(self) -> str:
        return "class"

    def values(self, y: Stored) -> None:
        return None

    def warnings(self, y: Mapping[str, Stored]) -> Sequence[str]:
        names = set(self.classes.names)
        for sign in SEPARATORS:
            made = [name for name in self.classes.names if _is_of(name, sign, names)]
            if made:
                return (
                    f"{len(made)} classes are made of others, as `{made[0]}`: `target`: "
                    f'{{"separator": "{sign}"}} beside its `column` learns each label by itself.',
                )
        return ()

    def codes(self, y: Mapping[str, Stored]) -> Mapping[str, NDArray[np.int32]]:
        return y


def _is_of(name: str, sign: str, names: set[str]) -> bool:
    """Tells whether a class is several others with the sign between them."""
    parts = {part.strip() for part in name.split(sign)}
    return len(parts) > 1 and parts <= names
