"""The contract of targets, what the labels of an upload become: a task's half of the intake."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.tasks import Task
from worker.intake.raw import Array
from worker.intake.splits import SPLIT_SEED, Rows

Stored = NDArray[Any]  # (items,) or (items, K), as y_train.npy and y_test.npy hold them


class TargetContract(Protocol):
    @property
    def texts(self) -> Sequence[str]:
        """The different labels as they came, where one of them may mean none."""

    @property
    def ignores_names(self) -> bool:
        """Tells whether `class_names` of the upload have no use."""

    def encode(self, labels: Array | None, items: int, split: str) -> Stored:
        """Encodes what is stored, and what stands for none where the split has no labels. Raises
        WorkFailure `dataset_invalid`."""

    def cut(self, y: Stored, fraction: float, seed: int = SPLIT_SEED) -> tuple[Rows, Rows]:
        """Rows of the training and of the test split, where labelled items have to be parted."""

    def task(self, y: Mapping[str, Stored]) -> Task:
        """Raises WorkFailure `dataset_invalid` where nothing can be learnt of such labels."""

    def counts(self, y: Stored) -> tuple[int, ...]:
        """Labelled items, of each class or of all together."""

    @property
    def part(self) -> str:
        """Returns what a cut test split has its share of, in words."""

    def values(self, y: Stored) -> dict[str, Any] | None:
        """Returns what the profile says of a split's labels; None without any, and of classes,
        whose balance it tells."""

    def warnings(self, y: Mapping[str, Stored]) -> Sequence[str]:
        """Returns what a user should know of the labels."""

    def codes(self, y: Mapping[str, Stored]) -> Mapping[str, NDArray[np.int32]]:
        """Whole numbers that are equal where labels are, -1 where there is none."""
