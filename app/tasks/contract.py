"""The contract of tasks, what is asked of an item: the half of a task that needs numpy alone."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from math import floor, inf, log10
from typing import Any, ClassVar, Literal, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Budget = Literal["labels_per_class", "labels"]  # the member of `target` that is a label budget
AnswerForm = Literal["label", "labels", "value"]  # of an item, in the native protocol
Name = TypeVar("Name")

RATE = (0.0, 1.0)
DIGITS = 4  # of a number that is told to a person
SMALL = 1e-4  # in a unit: below, digits are counted from the first that is not 0
EXACT = 1e-9  # means of the same values in another order differ by less, as a share of their size


class Metric(NamedTuple):
    """Meaning of a number of a report: its direction, bounds and unit."""

    label: str
    higher_is_better: bool = True
    bounds: tuple[float | None, float | None] = RATE
    is_in_unit: bool = False  # of the target's quantity

    @property
    def is_rate(self) -> bool:
        """Tells whether it counts items that are right or wrong, as a share of all."""
        return self.bounds == RATE

    @property
    def within(self) -> tuple[float, float]:
        """Range of its values."""
        low, high = self.bounds
        return -inf if low is None else low, inf if high is None else high

    @property
    def change(self) -> tuple[float, float]:
        """Range of a difference of two of its values."""
        low, high = self.within
        return low - high, high - low

    @property
    def sign(self) -> int:
        """1 where more is better, else -1: times it, more is better of any metric."""
        return 1 if self.higher_is_better else -1

    @property
    def direction(self) -> str:
        return "higher is better" if self.higher_is_better else "lower is better"

    def best(self, values: Mapping[Name, float]) -> Name | None:
        """The name of the best value, the first of equals; None of none."""
        return max(values, key=lambda name: self.sign * values[name], default=None)

    def shown(self, value: float, signed: bool = False) -> str:
        """Writes a value for a person: a rate with four decimals, anything else with four digits or
        more.

        What is not 0 is never shown as 0 where its sign says something: of a difference and below
        0. What is not in a unit is 0 where it is smaller than sums of floats are exact.
        """
        if abs(value) < EXACT and not self.is_in_unit:
            value = 0.0
        sign, decimals = "+" if signed and value else "", DIGITS
        if self.is_rate:
            tells = not value or float(f"{value:.{decimals}f}") or not (signed or value < 0)
            return f"{value:{sign}.{decimals}f}" if tells else f"{value:{sign}.0e}"
        if 0 < abs(value) < SMALL:
            return f"{value:{sign}.{DIGITS - 1}e}"
        if value:
            decimals = max(0, DIGITS - 1 - floor(log10(abs(value))))
        return f"{value:{sign}{',' if abs(value) >= 1000 else ''}.{decimals}f}"


class TaskContract(BaseModel, ABC):
    """Every member has a `kind`, the word that tells members apart in JSON.

    `primary`: the metrics that a job may be decided by. `per_epoch`: those that are known of each
    epoch. `has_classes`: whether an answer is one of a set of classes, right or wrong. `answers`:
    what a packaged graph calls them. `form`: what is made of them for one item. `unit` and `std`,
    of a quantity's labels: "" and 1 elsewhere.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    metrics: ClassVar[Mapping[str, Metric]]
    default_metric: ClassVar[str]
    primary: ClassVar[tuple[str, ...]]
    per_epoch: ClassVar[tuple[str, ...]]
    has_classes: ClassVar[bool]
    answers: ClassVar[str]
    form: ClassVar[AnswerForm]
    budget: ClassVar[Budget]

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Width of the network's head."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Names of the outputs, in their order; of a task with classes those of the classes."""

    @abstractmethod
    def named(self, names: tuple[str, ...]) -> Self:
        """The same task with outputs of other names, or in another order."""

    @property
    @abstractmethod
    def answer_kinds(self) -> tuple[str, ...]:
        """Names of the kinds of answers that are told apart where answers are counted."""

    @abstractmethod
    def kinds_of(self, answers: NDArray[np.float32]) -> NDArray[np.int64]:
        """Answers of a packaged graph (n, outputs) -> the place of each in `answer_kinds`, (n,)."""

    def confidence_of(self, answers: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """The largest probability of each item, (n,); None where answers are no probabilities."""
        confidence: NDArray[np.float32] = answers.max(axis=1)
        return confidence

    @property
    def nameless(self) -> Self:
        """The same task with numbered outputs: what a network and its compiled loops depend on."""
        return self.named(tuple(map(str, range(self.outputs))))

    @staticmethod
    @abstractmethod
    def placed(y: NDArray[Any], own: Sequence[str], wanted: Sequence[str]) -> NDArray[Any]:
        """Labels of a task whose outputs are named `own`, as those of one whose are `wanted`, which
        are the same names, or more."""

    @staticmethod
    @abstractmethod
    def strata(counts: Iterable[int], budget: int | None) -> tuple[int, ...]:
        """Sizes of the parts that labelled items fall into, from each of which a fair share is
        held out: what a label budget leaves of them.

        Args:
            counts: labelled items, of each class or of all together.
            budget: None for all labels.
        """
