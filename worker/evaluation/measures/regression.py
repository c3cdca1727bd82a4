"""Numbers of a regression."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.spec.figures import Residuals
from app.spec.report import Detail
from app.tasks.regression import Regression, bins_of
from worker.evaluation.arrays import Floats, Ints
from worker.evaluation.measures.contract import Constant, Labels, Level, Tally, Values
from worker.evaluation.measures.parts import codes_in_order
from worker.evaluation.statistics import draws

if TYPE_CHECKING:
    from worker.evaluation.evidence import Evidence

POINTS = 500  # of the residual plot
QUANTILES = (5, 25, 50, 75, 95)  # %


@dataclass(frozen=True)
class QuantityMeasures:
    """Outputs are standardised, (n, 1), labels in the quantity's unit, float32."""

    task: Regression

    def measure(self, y: Labels, outputs: Floats) -> dict[str, float]:
        """mae, rmse, r2 and loss; R² of labels that are all alike counts as 0."""
        if not len(y):
            raise ValueError("metrics: expected at least 1 item, got 0")
        found = {
            name: float(self.item_values(y, outputs, name).mean()) for name in self.task.primary
        }
        return {**found, "loss": float(self.item_losses(y, outputs).mean())}

    def averaged(self, outputs: Sequence[Floats]) -> Floats:
        found: Floats = np.mean(outputs, axis=0, dtype=np.float64)
        return found

    def watched(self, y: Labels, outputs: Floats) -> dict[str, float]:
        return self.measure(y, outputs)

    def item_values(self, y: Labels, outputs: Floats, metric: str) -> Values:
        """Values of items, by the error e_i, m = mean e² and v = mean (y - mean y)²:

            mae   |e_i|
            rmse  √m + (e_i² - m) / 2√m
            r2    1 - m/v - (e_i² - m)/v + m ((y_i - mean y)² - v) / v²

        The last two are the metric and the item's influence on it, as in
        worker/evaluation/influence.py.
        """
        quantity = y.astype(np.float64)
        error = self.task.values(outputs) - quantity
        if metric == "mae":
            return np.abs(error)
        squared = error**2
        m = float(squared.mean())
        if metric == "rmse":
            root = m**0.5
            return root + (squared - m) / (2 * root) if root else squared
        if metric != "r2":
            raise ValueError(f"expected mae, rmse or r2, got {metric}")
        spread = (quantity - quantity.mean()) ** 2
        v = float(spread.mean())
        if not v:
            return np.zeros(len(y))
        values: Values = 1 - m / v - (squared - m) / v + m * (spread - v) / v**2
        return values

    def averaged_over(self, y: Labels, metric: str) -> Labels | None:
        return None

    def item_losses(self, y: Labels, outputs: Floats) -> Values:
        """Squared errors of standardised labels."""
        losses: Values = ((self.task.values(outputs) - y.astype(np.float64)) / self.task.std) ** 2
        return losses

    def resample(
        self,
        y: Labels,
        transfer: Sequence[Floats],
        baseline: Sequence[Floats],
        metric: str,
        seed: int,
    ) -> Floats:
        n, quantity, gains = len(y), y.astype(np.float64), list[Floats]()
        for times in draws(n, np.full(n, 1 / n), seed):
            weights = times / n
            means = [
                np.mean([self._weighted(weights, quantity, each, metric) for each in arm], axis=0)
                for arm in (transfer, baseline)
            ]
            gains.append(means[0] - means[1])
        return np.concatenate(gains)

    def _weighted(
        self, weights: Values, quantity: Values, outputs: Floats, metric: str
    ) -> NDArray[np.float64]:
        """The metric of each resample, (resamples,)."""
        error = self.task.values(outputs) - quantity
        if metric == "mae":
            return np.asarray(weights @ np.abs(error), np.float64)
        squared = np.asarray(weights @ error**2, np.float64)
        if metric == "rmse":
            return np.sqrt(squared)
        centred = quantity - quantity.mean()  # for the digits
        spread = weights @ centred**2 - (weights @ centred) ** 2
        return np.where(spread > 0, 1 - squared / np.where(spread > 0, spread, 1), 0.0)

    def strata(self, y: Labels, seed: int) -> NDArray[np.int64]:
        return quantile_codes(y, seed)

    def answers(self, outputs: Floats) -> Ints | None:
        return None

    def held_against(self, metric: str) -> str:
        return metric

    def level(self, y: Labels, metric: str, width: int | None = None) -> Level:
        """Level of the answer that suits these items best. The error is that of the mean of the
        items' values; of R², which no item moves there, it follows from the RMSE's.
        """
        if metric == "r2":
            rmse = self.level(y, "rmse")
            return Level(0.0, 2 * rmse.error / rmse.score if rmse.score else 0.0)
        values = self.item_values(y, self._always(_best_constant(y, metric), y), metric)
        return Level.of(values, self.task.metrics[metric].sign)

    def constant(self, y: Labels, metric: str) -> Constant:
        best = _best_constant(y, metric)
        scores = self.measure(y, self._always(best, y))
        return Constant(
            answer=f"{self.task.metrics['mae'].shown(best)} {self.task.unit}".strip(),
            scores={name: scores[name] for name in self.task.primary},
        )

    def _always(self, value: float | np.floating, y: Labels) -> NDArray[np.float64]:
        """Outputs that mean the same quantity for every item."""
        return np.full((len(y), 1), (float(value) - self.task.mean) / self.task.std)

    def detail(
        self,
        arm: "Evidence",
        pair: "tuple[Evidence, Evidence] | None",
        counts: Sequence[int] | None,
        confidence: float,
    ) -> Detail:
        quantity = arm.y.astype(np.float64)
        predicted = np.mean([self.task.values(outputs) for outputs in arm.outputs], axis=0)
        residuals = predicted - quantity
        order = np.argsort(quantity, kind="stable")
        chosen = order[np.linspace(0, len(order) - 1, min(POINTS, len(order))).round().astype(int)]
        return Detail(
            residuals=Residuals(
                bias=float(residuals.mean()),
                quantiles={
                    f"p{percent:02}": float(value)
                    for percent, value in zip(
                        QUANTILES, np.percentile(residuals, QUANTILES), strict=True
                    )
                },
                points=[(float(quantity[row]), float(predicted[row])) for row in chosen],
            )
        )

    @property
    def nothing(self) -> Tally:
        return np.zeros(3)

    def added(
        self, tally: Tally, y: Labels, known: NDArray[np.bool_], statistics: Floats | Ints
    ) -> Tally:
        """(3,): items, their absolute and their squared errors in standard deviations.
        `statistics`: (steps, batch, 2), the same two errors of each item."""
        errors = np.where(known[..., None], statistics, 0).astype(np.float64).sum(axis=1)
        steps = np.column_stack([known.sum(axis=1), errors])  # (steps, 3)
        sums: Tally = np.cumsum(np.vstack([tally, steps]), axis=0)[-1]  # step after step
        return sums

    def items(self, tally: Tally) -> int:
        return int(tally[0])

    def of_epoch(self, tally: Tally, loss: float) -> dict[str, float]:
        items, absolute, squared = tally.tolist()
        std = self.task.std
        return {
            "loss": loss,
            "mae": std * absolute / items,
            "rmse": std * (squared / items) ** 0.5,
        }


def _best_constant(y: Labels, metric: str) -> float:
    """The items' median for mae, their mean for the others."""
    return float(np.median(y) if metric == "mae" else np.mean(y, dtype=np.float64))


def quantile_codes(y: Labels, seed: int) -> NDArray[np.int64]:
    """The bin of each item, (n,), from 0 for the lowest labels; of equal ones the seed says which
    are lower."""
    return codes_in_order(y, bins_of(len(y)), seed)
