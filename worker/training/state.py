"""State of a trial between two chunks of steps, and its checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import keras
import numpy as np
import structlog
from numpy.typing import NDArray

from worker.evaluation.measures.contract import Measures
from worker.training.checkpoint import Backend, Checkpoint, Position
from worker.training.sums import Sums

log = structlog.get_logger(__name__)

Arrays = list[NDArray[Any]]


@dataclass
class TrialState:
    """All of a trial that is in no variable."""

    backends: tuple[Backend, ...]  # one per phase
    sums: Sums
    position: Position = field(default_factory=Position)
    slots: Arrays = field(default_factory=list)  # a checkpoint's optimizer, until there is a loop
    best: Arrays = field(default_factory=list)  # variables of the best epoch, with early stopping
    labels: NDArray[np.int32] | None = None  # of this epoch, where the phase makes them
    notes: tuple[str, ...] = ()  # for the report

    def settle(self, phase: int, backend: Backend, notes: Sequence[str]) -> None:
        """Writes down what a phase's loop is, and what is to be said of it."""
        self.backends = (*self.backends[:phase], backend, *self.backends[phase + 1 :])
        self.notes = (*self.notes, *(note for note in notes if note not in self.notes))

    def begin_phase(self, index: int) -> None:
        self.position, self.best, self.labels = Position(phase=index), [], None

    def to_checkpoint(
        self,
        variables: Sequence[keras.Variable],
        slots: Sequence[keras.Variable] | None,
        seed: int,
        threads: int,
    ) -> Checkpoint:
        """`slots`: the optimizers', or None before there are any."""
        arrays = {
            **_number("network", values(variables)),
            **_number("optimizer", self.slots if slots is None else values(slots)),
            **_number("best", self.best),
            **_number("labels", [] if self.labels is None else [self.labels]),
            **self.sums.to_arrays(),
        }
        position = replace(self.position, losses=[*self.position.losses])
        return Checkpoint(arrays, position, seed, self.backends, threads, self.notes)

    @classmethod
    def of_checkpoint(
        cls,
        checkpoint: Checkpoint,
        variables: Sequence[keras.Variable],
        seed: int,
        threads: int,
        measures: Measures,
    ) -> Self:
        """Assigns the checkpoint's variables. Raises ValueError when it is of another seed."""
        if checkpoint.seed != seed:
            raise ValueError(f"expected a checkpoint of seed {seed}, got one of {checkpoint.seed}")
        if checkpoint.threads != threads:  # another machine: the same training, other bits
            log.warning("threads_changed", before=checkpoint.threads, now=threads)
        arrays = checkpoint.arrays
        assign(variables, _numbered(arrays, "network"))
        return cls(
            backends=checkpoint.backends,
            sums=Sums.of_arrays(arrays, measures),
            position=replace(checkpoint.position, losses=[*checkpoint.position.losses]),
            slots=_numbered(arrays, "optimizer"),
            best=_numbered(arrays, "best"),
            labels=next(iter(_numbered(arrays, "labels")), None),
            notes=checkpoint.notes,
        )


def values(variables: Sequence[keras.Variable]) -> Arrays:
    """Copies the variables' values."""
    return [variable.numpy() for variable in variables]


def assign(variables: Sequence[keras.Variable], arrays: Arrays) -> None:
    """Sets one variable after the other. Raises ValueError when there are more of one kind."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _number(name: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {f"{name}/{index}": array for index, array in enumerate(arrays)}


def _numbered(arrays: dict[str, NDArray[Any]], name: str) -> Arrays:
    count = sum(key.startswith(f"{name}/") for key in arrays)
    return [arrays[f"{name}/{index}"] for index in range(count)]
