"""A quantity of each item, in the user's unit."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import NormalDist
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.tasks.contract import AnswerForm, Budget, Metric, TaskContract
from app.tasks.shares import budgeted, equal_shares

BINS, FEWEST_IN_BIN = 10, 5  # of the quantiles, by which items are shared out


class Regression(TaskContract):
    kind: Literal["regression"] = "regression"
    name: str = Field("value", description="of the quantity")
    unit: str = Field("", description="of the quantity, as `USD`; empty where none was given")
    mean: float = Field(description="of the training rows' labels; 0 where these are not known")
    std: float = Field(gt=0, description="the same: networks learn (label - mean) / std")

    metrics: ClassVar[Mapping[str, Metric]] = {
        "mae": Metric("mean absolute error", False, (0.0, None), is_in_unit=True),
        "rmse": Metric("root mean squared error", False, (0.0, None), is_in_unit=True),
        "r2": Metric("R², the share of the variance explained", True, (None, 1.0)),
        "loss": Metric("mean squared error of standardised labels", False, (0.0, None)),
    }
    default_metric: ClassVar[str] = "mae"
    primary: ClassVar[tuple[str, ...]] = ("mae", "rmse", "r2")
    per_epoch: ClassVar[tuple[str, ...]] = ("loss", "mae", "rmse")
    has_classes: ClassVar[bool] = False
    answers: ClassVar[str] = "values"
    form: ClassVar[AnswerForm] = "value"
    budget: ClassVar[Budget] = "labels"

    @property
    def outputs(self) -> int:
        return 1

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def named(self, names: tuple[str, ...]) -> Self:
        (name,) = names
        return self.model_copy(update={"name": name})

    @property
    def answer_kinds(self) -> tuple[str, ...]:
        """Ranges of the quantity: ten that a normal one of this mean and spread falls into equally
        often."""
        edges = [f"{edge:.4g}" for edge in self._edges]
        between = (f"{low} to {high}" for low, high in pairwise(edges))
        return (f"below {edges[0]}", *between, f"{edges[-1]} or more")

    def kinds_of(self, answers: NDArray[np.float32]) -> NDArray[np.int64]:
        return np.searchsorted(self._edges, answers[:, 0].astype(np.float64), side="right")

    def confidence_of(self, answers: NDArray[np.float32]) -> None:
        return None

    @property
    def _edges(self) -> list[float]:
        normal = NormalDist(self.mean, self.std)
        return [normal.inv_cdf(place / BINS) for place in range(1, BINS)]

    @staticmethod
    def placed(y: NDArray[Any], own: Sequence[str], wanted: Sequence[str]) -> NDArray[Any]:
        return y

    @staticmethod
    def strata(counts: Iterable[int], budget: int | None) -> tuple[int, ...]:
        """Bins of equally many items by rising label, which differ by one at most: up to 10, of 5
        items or more. A budget is of all items together."""
        return bins_of(budgeted(counts, budget))

    def values(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """A network's outputs (n, 1) as quantities (n,), in the user's unit."""
        return self.mean + self.std * outputs[:, 0].astype(np.float64)


def bins_of(items: int) -> tuple[int, ...]:
    """Sizes of the quantile bins of `items` items."""
    return equal_shares(items, BINS, FEWEST_IN_BIN)
