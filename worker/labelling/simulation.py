"""What an order of labelling was worth, on items whose labels are known.

Each draw holds some items out to measure on and hides the labels of the rest. A linear probe learns
from a few at random, then the next ones are chosen, in order or at random, and the probe is fitted
anew; and so on. Both orders have the same first items and the same held-out ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from app.tasks import Task
from worker.evaluation.measures import measures_of
from worker.labelling.choice import choose
from worker.labelling.embeddings import Floats
from worker.labelling.probe import fit

DRAWS = 10
FEWEST_ITEMS = 40
HELD_OUT, MOST_HELD_OUT = 0.3, 1000
MOST_POOL, MOST_LABELS = 2000, 260
STEPS = 8
SPREAD_FLOOR = 1e-6

Next = Callable[[NDArray[np.int64], NDArray[np.int64], int], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Simulated:
    """`labels` (steps,): how many at each step, rising; `ordered` and `random` (draws, steps): the
    metric on each draw's held-out items."""

    labels: NDArray[np.int64]
    ordered: Floats
    random: Floats


def simulate(
    task: Task, metric: str, features: NDArray[np.floating], y: NDArray[Any], seed: int
) -> Simulated | None:
    """Runs 10 draws; None where there are fewer than 40 items, or the metric cannot be measured.

    Args:
        features: (n, d), of the labelled items.
        y: labels, (n,) or (n, K).
    """
    if len(y) < FEWEST_ITEMS:
        return None
    labels = steps_of(len(y))
    known = standardised(features)
    with threadpool_limits(1):  # hundreds of small fits, each of which would wait for all threads
        draws = [_draw(task, metric, known, y, labels, seed + draw) for draw in range(DRAWS)]
    found = np.array(draws)  # (draws, 2, steps)
    able = np.isfinite(found).all(axis=(1, 2))
    if able.sum() < 2:
        return None
    return Simulated(labels, found[able, 0], found[able, 1])


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


def _draw(
    task: Task,
    metric: str,
    features: Floats,
    y: NDArray[Any],
    labels: NDArray[np.int64],
    seed: int,
) -> tuple[list[float], list[float]]:
    """The metric at each number of labels, in order and at random."""
    rng = np.random.default_rng(seed)
    held_out, pool_size = _sizes(len(y))
    shuffled = rng.permutation(len(y))
    test, pool = shuffled[:held_out], shuffled[held_out : held_out + pool_size]
    measures = measures_of(task)

    def followed(choice: Next) -> list[float]:
        chosen, values = pool[: labels[0]], list[float]()
        for wanted in labels:
            left = np.setdiff1d(pool, chosen)
            if more := wanted - len(chosen):
                chosen = np.concatenate([chosen, left[choice(chosen, left, more)]])
            outputs = fit(task, features[chosen], y[chosen])(features[test])
            values.append(measures.measure(y[test], outputs).get(metric, float("nan")))
        return values

    def in_order(chosen: NDArray[np.int64], left: NDArray[np.int64], more: int) -> Any:
        outputs = fit(task, features[chosen], y[chosen])(features[left])
        return choose(task, outputs, features[left], features[chosen], more, rng).items

    def at_random(_: NDArray[np.int64], left: NDArray[np.int64], more: int) -> Any:
        return rng.choice(len(left), more, replace=False)

    return followed(in_order), followed(at_random)
