"""Metrics of one epoch: the one list of their names, from training to the answers of the API."""

from typing_extensions import TypedDict  # pydantic reads typing's own from Python 3.12 on


class EpochMetrics(TypedDict, total=False):
    """Metrics of one epoch on one split; of those that depend on the task, its `per_epoch`."""

    loss: float
    accuracy: float
    f1_micro: float
    f1_macro: float
    mae: float
    rmse: float
    learning_rate: float
    seconds: float


class EpochPlace(TypedDict):
    """Place of an epoch in a trial; `epoch` counts from 1 within its phase."""

    phase: str
    epoch: int
    split: str


class Epoch(EpochPlace, EpochMetrics):
    """An epoch with its metrics, as the API shows it."""


NAMES = tuple(EpochMetrics.__annotations__)
EVERY_TASK_S = ("learning_rate", "seconds")


def names_of(per_epoch: tuple[str, ...]) -> tuple[str, ...]:
    """Names of what is known of each epoch of a task, in their order."""
    known = {*per_epoch, *EVERY_TASK_S}
    return tuple(name for name in NAMES if name in known)
