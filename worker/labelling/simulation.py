"""Simulation of what an order of labelling was worth, on items whose labels are known.

Each draw holds some items out to measure on and hides the labels of the rest. A linear probe learns
from a few at random, then the next ones are chosen, in order or at random, and the probe is fitted
anew; and so on. Both orders have the same first items and the same held-out ones.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from app.tasks import Task
from worker.evaluation.measures import measures_of
from worker.labelling.choice import Rule, choose, rules_of
from worker.labelling.embeddings import Floats
from worker.labelling.probe import fit

CHOOSING_DRAWS, DRAWS = 4, 10  # the first ones say which rule is better, the others by how much
FEWEST_ITEMS = 40
HELD_OUT, MOST_HELD_OUT = 0.3, 1000
MOST_POOL, MOST_LABELS = 2000, 260
STEPS = 8
SPREAD_FLOOR = 1e-6

Labelled = tuple[Floats, NDArray[Any]]  # features (n, d) and labels


@dataclass(frozen=True, eq=False)
class Simulated:
    """`rule`: by which the order was chosen. `labels` (steps,): how many at each step, rising;
    `ordered` and `random` (draws, steps): the metric on each draw's held-out items."""

    rule: Rule
    labels: NDArray[np.int64]
    ordered: Floats
    random: Floats


def simulate(
    task: Task, metric: str, features: NDArray[np.floating], y: NDArray[Any], seed: int
) -> Simulated | None:
    """Runs 4 draws of each of the task's rules, and 10 others of the better one. None where there
    are fewer than 40 items, or the metric cannot be measured.

    Args:
        features: (n, d), of the labelled items.
        y: labels, (n,) or (n, K).
    """
    if len(y) < FEWEST_ITEMS:
        return None
    labels, known = steps_of(len(y)), standardised(features)
    sign = task.metrics[metric].sign

    def draws(rule: Rule, first: int, count: int) -> Floats:
        """(count, 2, steps) or fewer: those on whose held-out items the metric can be measured."""
        drawn = [_course(task, metric, (known, y), labels, first + k) for k in range(count)]
        found = np.array([[course.values(rule), course.values(None)] for course in drawn])
        able: Floats = found[np.isfinite(found).all(axis=(1, 2))]
        return able

    with threadpool_limits(1):  # hundreds of small fits, each of which would wait for all threads
        tried = {rule: sign * gain_of(draws(rule, seed, CHOOSING_DRAWS)) for rule in rules_of(task)}
        able = {rule: float(gains.mean()) for rule, gains in tried.items() if len(gains)}
        if not able:
            return None
        rule = max(able, key=lambda name: able[name])
        found = draws(rule, seed + CHOOSING_DRAWS, DRAWS)
    return Simulated(rule, labels, found[:, 0], found[:, 1]) if len(found) > 1 else None


def gain_of(found: Floats) -> Floats:
    """(draws,), in order over at random, mean over the numbers of labels but the first. `found`:
    (draws, 2, steps)."""
    gains: Floats = (found[:, 0, 1:] - found[:, 1, 1:]).mean(axis=1)
    return gains


def standardised(features: NDArray[np.floating]) -> Floats:
    """Features without their mean, the mean square of a coordinate being 1: one factor for all, so
    that coordinates keep their weight."""
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    found: Floats = centred / max(float(np.sqrt((centred**2).mean())), SPREAD_FLOOR)
    return found


def steps_of(items: int) -> NDArray[np.int64]:
    """Numbers of labels, rising: up to half of what is not held out, where the orders still have a
    choice, and 260 at most."""
    _, pool = _sizes(items)
    last = min(pool // 2, MOST_LABELS)
    return np.unique(np.linspace(max(2, last // STEPS), last, STEPS).astype(np.int64))


def _sizes(items: int) -> tuple[int, int]:
    """How many are held out, and how many may be chosen from."""
    held_out = min(int(items * HELD_OUT), MOST_HELD_OUT)
    return held_out, min(items - held_out, MOST_POOL)


def _course(
    task: Task, metric: str, items: Labelled, labels: NDArray[np.int64], seed: int
) -> "Course":
    (features, y), rng = items, np.random.default_rng(seed)
    held_out, pool_size = _sizes(len(y))
    shuffled = rng.permutation(len(y))
    test, pool = shuffled[:held_out], shuffled[held_out : held_out + pool_size]
    return Course(task, metric, (features[pool], y[pool]), (features[test], y[test]), labels, seed)


@dataclass(frozen=True, eq=False)
class Course:
    """Labels that come step by step. The pool's first items are labelled at first."""

    task: Task
    metric: str
    pool: Labelled
    test: Labelled
    labels: NDArray[np.int64]
    seed: int

    def values(self, rule: Rule | None) -> list[float]:
        """The metric on the held-out items at each number of labels. `rule`: by which the next
        items are chosen; None: at random."""
        (features, y), (seen, wanted) = self.pool, self.test
        rng, measures = np.random.default_rng(self.seed), measures_of(self.task)
        chosen, values = np.arange(self.labels[0]), list[float]()
        probe = fit(self.task, features[chosen], y[chosen])
        for count in self.labels:
            left = np.setdiff1d(np.arange(len(y)), chosen)
            if more := int(count) - len(chosen):
                of_left = features[left]
                places = rng.choice(len(left), more, replace=False)
                if rule:
                    outputs, known = probe(of_left), features[chosen]
                    places = choose(rule, self.task, outputs, of_left, known, more, rng).items
                chosen = np.concatenate([chosen, left[places]])
                probe = fit(self.task, features[chosen], y[chosen])
            found = measures.measure(wanted, probe(seen))
            values.append(found.get(self.metric, float("nan")))
        return values
