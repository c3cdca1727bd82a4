"""The shapes of a phase's compiled loop, and how many of its epochs run in one call."""

from dataclasses import dataclass, replace

from worker.strategies.recipe import Phase
from worker.training.checkpoint import Backend
from worker.training.data import Split
from worker.training.feed import Feed, RowsShape
from worker.training.loop import Shapes

# An epoch of so few steps costs less than the call that runs it and the look at the validation
# items after it; so many of them run in one call, which looks at those items itself.
SHORT_EPOCH_STEPS = 64
VALIDATION_ITEMS = 512
EPOCHS_A_CALL = 64


@dataclass(frozen=True)
class Geometry:
    """The sizes of one phase of one trial; worker.training.loop.Shapes says what each is."""

    batch: int
    classes: int
    rows: tuple[RowsShape, ...]
    validation: RowsShape
    capacity: int  # steps that one call runs at most
    epochs: int
    backend: Backend

    def room(self, count: int) -> int:
        """Steps for which a call that runs `count` is given data."""
        return self.capacity if self.backend == "xla" else count

    @property
    def shapes(self) -> Shapes:
        """What its loop is compiled for."""
        exact = Shapes(
            self.batch,
            self.classes,
            self.rows,
            self.validation,
            self.capacity,
            self.epochs,
            self.backend,
        )
        if self.backend == "xla":
            return exact
        rows = tuple(replace(shape, count=None) for shape in self.rows)
        validation = replace(self.validation, count=None)
        return replace(exact, batch=None, rows=rows, validation=validation, steps=None, epochs=None)


def geometry_of(
    phase: Phase,
    feed: Feed,
    validation: Split,
    epoch_steps: int,
    classes: int,
    backend: Backend,
) -> Geometry:
    how, items = phase.optimization, len(validation)
    # Averages are put in place, the best weights are kept and labels are made between two epochs.
    looks_between = (
        how.ema_momentum is not None or how.early_stopping is not None or phase.relabel is not None
    )
    is_short = epoch_steps <= SHORT_EPOCH_STEPS and items <= VALIDATION_ITEMS
    epochs, looked_at = 1, 0
    if is_short and not looks_between:
        epochs = max(1, min(phase.epochs, EPOCHS_A_CALL, feed.capacity // epoch_steps))
        if epochs > 1 and validation.is_labelled:
            looked_at = items
    return Geometry(
        feed.batch,
        classes,
        feed.shapes,
        RowsShape(validation.x.shape[1:], str(validation.x.dtype), looked_at),
        min(feed.capacity, epochs * epoch_steps),
        epochs,
        backend,
    )
