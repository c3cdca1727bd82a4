"""Made-up arms for searches: held-out items that are right or wrong by chance."""

from collections.abc import Mapping
from math import log

import numpy as np

from app.spec.outcomes import Candidate
from app.spec.strategies import Strategy
from app.spec.strategy_catalogue import CATALOGUE
from app.spec.training import Training
from worker.search.candidates import Costs
from worker.search.evaluations import Result
from worker.search.ledger import Task

TRAINING = Training(epochs=20, batch_size=10)
SUPERVISED = ("lp_ft", "fine_tune", "l2_sp", "co_tuning", "distill")


def strategy(name: str, **params: object) -> Strategy:
    return CATALOGUE[name].choice.model_validate({"name": name, "params": params})


def candidates(*names: str) -> list[Candidate]:
    """Whose heads take as many epochs as all the rest, and cost a tenth."""
    probes = {"lp_ft": {"max_epochs": 20}, "linear_probe": {"max_epochs": 100}}
    return [Candidate(strategy=strategy(name, **probes.get(name, {}))) for name in names]


def costs(items: int = 100, training: Training = TRAINING) -> Costs:
    return Costs(training, items, fold_items=2 * items // 3)


class Arms:
    """Right with probability `accuracy` (after all epochs; less before), items independent. The
    same task has the same answer always."""

    def __init__(
        self, accuracy: Mapping[str, float], items: int = 50, seed: int = 0, costs: Costs = costs()
    ) -> None:
        self._accuracy, self._items, self._seed, self._costs = accuracy, items, seed, costs
        self.tasks: list[Task] = []

    def evaluate(self, task: Task) -> Result:
        self.tasks.append(task)
        name = task.candidate.name
        share = (task.candidate.epochs or TRAINING.epochs) / TRAINING.epochs
        rate = task.candidate.learning_rate or TRAINING.learning_rate
        factor = (0.7 + 0.3 * share) * (1 - 0.1 * abs(log(rate / 0.001)))
        key = [self._seed, task.fold, sorted(self._accuracy).index(name), int(1e6 * rate)]
        draws = np.random.default_rng(key).random(self._items)
        right = draws < self._accuracy[name] * factor
        return Result(
            values=tuple(right.astype(float).tolist()),
            losses=tuple((1.0 - right).tolist()),
            cost=self._costs.of_fold(task.candidate, 1.0),
            seconds=1.0,
        )
