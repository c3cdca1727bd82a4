"""Worth of a simulated order, with its interval and in words."""

import numpy as np

from app.jobs.next_labels.schemas import Curve, Worth
from app.tasks.contract import Metric
from worker.evaluation.statistics import Range, mean_interval
from worker.labelling.embeddings import Floats
from worker.labelling.simulation import FEWEST_ITEMS, Simulated

CONFIDENCE = 0.95
ROUNDING = 1e-6  # of a number of labels
HIDDEN = (
    "What the order is worth is not known: the job hides the target's labels, so there are none to "
    "simulate on"
)


def too_few(items: int) -> str:
    return (
        f"What the order is worth is not known: a simulation needs {FEWEST_ITEMS} labelled items "
        f"on which the metric can be measured, there are {items}"
    )


def worth_of(
    found: Simulated, name: str, metric: Metric, items: int, started: bool
) -> tuple[Worth, str]:
    """The worth and its sentence.

    Args:
        name: of the metric.
        items: labelled ones, of which the draws were made.
        started: whether the features are those that the winner started from.
    """
    gains = metric.sign * (found.ordered - found.random)[:, 1:].mean(axis=1)
    gain = mean_interval(gains, CONFIDENCE, metric.change)
    if gain.low is None or gain.high is None:
        raise ValueError(f"worth: expected 2 draws or more, got {len(gains)}")
    worth = Worth(
        metric=name,
        draws=len(gains),
        items=items,
        features="start" if started else "winner",
        labels=found.labels.tolist(),
        ordered=_curve(found.ordered, metric.within),
        random=_curve(found.random, metric.within),
        gain=gain.mean,
        low=gain.low,
        high=gain.high,
        saved=saved(found, metric.sign),
    )
    return worth, _sentence(worth, metric)


def saved(found: Simulated, sign: int) -> int | None:
    """Labels that the order needs fewer than random order's last number, to be as good as that on
    the mean: by straight lines between the numbers, cut to whole labels. None: it nowhere is."""
    ordered, goal = sign * found.ordered.mean(axis=0), sign * float(found.random.mean(axis=0)[-1])
    reached = np.flatnonzero(ordered >= goal)
    if not len(reached):
        return None
    step, labels = int(reached[0]), found.labels.astype(np.float64)
    needed = labels[step]
    if step:
        rise = (goal - ordered[step - 1]) / (ordered[step] - ordered[step - 1])
        needed = labels[step - 1] + rise * (labels[step] - labels[step - 1])
    return int(labels[-1] - needed + ROUNDING)


def _curve(values: Floats, within: Range) -> Curve:
    """`values`: (draws, steps)."""
    steps = [mean_interval(values[:, step], CONFIDENCE, within) for step in range(values.shape[1])]
    return Curve(
        mean=[step.mean for step in steps],
        low=[step.mean if step.low is None else step.low for step in steps],
        high=[step.mean if step.high is None else step.high for step in steps],
    )


def _sentence(worth: Worth, metric: Metric) -> str:
    last, shown = worth.labels[-1], metric.shown
    said = (
        f"In {worth.draws} draws from {worth.items} labelled items a linear probe had, with {last} "
        f"labels, {metric.label} {shown(worth.ordered.mean[-1])} in this order and "
        f"{shown(worth.random.mean[-1])} in random order; over {worth.labels[1]} to {last} labels "
        f"the order was worth {shown(worth.gain, signed=True)} [{shown(worth.low, signed=True)}, "
        f"{shown(worth.high, signed=True)}]"
    )
    if worth.high < 0:
        return f"{said}: it was worse than random order here, so label at random"
    if worth.low <= 0:
        return f"{said}: no evidence that it is better than random order"
    if worth.saved:
        return f"{said}, and {worth.saved} of {last} labels were saved"
    return f"{said}: better than random order"
