"""The schedule of a trial's phases: when one ends, what changes from step to step, how far it all
is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app.spec.forecast import HEAD_STEP_COST
from worker.backbones.norm_momentum import corrected_momentum
from worker.failures import diverged
from worker.strategies.recipe import Phase
from worker.training.checkpoint import Position
from worker.training.schedule import progress, rate_factors


@dataclass(frozen=True)
class StepSchedule:
    """Rates and momenta, which change from step to step."""

    rates: NDArray[np.float64]  # (steps, groups): learning rates
    progress: NDArray[np.float32]  # (steps,): 0..1 of the phase
    ends: NDArray[np.bool_]  # (steps,): whether an epoch ends with the step
    momenta: NDArray[np.float32]  # (steps,): of BatchNorm's moving statistics

    @classmethod
    def of(cls, phase: Phase, epoch_steps: int, first: int, count: int) -> Self:
        """Schedules `count` steps of a phase from its step `first` on; an epoch has
        `epoch_steps`."""
        steps = first + np.arange(count)
        total = phase.epochs * epoch_steps
        factors = rate_factors(phase.optimization, steps, total, epoch_steps)
        own = np.array([group.learning_rate for group in phase.groups], float)
        return cls(
            rates=factors[:, None] * own,
            progress=progress(steps, total).astype(np.float32),
            ends=(steps + 1) % epoch_steps == 0,
            momenta=corrected_momentum(steps),
        )

    @property
    def by_step(self) -> tuple[NDArray[Any], ...]:
        """Rates, progress, ends and momenta as a compiled loop takes them."""
        return self.rates.astype(np.float32), self.progress, self.ends, self.momenta


def has_ended(phase: Phase, position: Position) -> bool:
    """Tells whether a phase has had its epochs, has converged, or has run out of patience."""
    patience = phase.optimization.early_stopping
    return (
        position.epochs >= phase.epochs
        or (phase.stop is not None and phase.stop.reached(position.losses))
        or (
            patience is not None
            and position.best_loss is not None
            and position.epochs - position.best_epoch >= patience.patience
        )
    )


def share_done(phases: Sequence[Phase], position: Position, epoch_steps: int) -> float:
    """Computes the cost of the steps done over that of all, 0..1; a phase that has ended early is
    done."""
    done, total = 0.0, 0.0
    for index, phase in enumerate(phases):
        cost = phase.epochs * (HEAD_STEP_COST if phase.inputs == "features" else 1.0)
        total += cost
        if index < position.phase or (index == position.phase and has_ended(phase, position)):
            done += cost
        elif index == position.phase:
            done += cost * (position.epochs + position.step / epoch_steps) / phase.epochs
    return done / total


def check_finite(loss: float, phase: Phase, position: Position) -> None:
    """Raises WorkFailure `diverged` where the loss of the epoch under way is not finite."""
    if not np.isfinite(loss):
        rate = max((group.learning_rate for group in phase.groups), default=0.0)
        epoch = position.epochs + 1
        what = f"expected a finite loss, got {loss} at epoch {epoch} of phase {phase.name}"
        raise diverged(what, rate, phase.name)
