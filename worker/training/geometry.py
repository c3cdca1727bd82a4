"""The shapes of a phase's compiled loop, and how many of its epochs run in one call."""

from worker.strategies.recipe import Phase
from worker.training.checkpoint import Backend
from worker.training.data import Split
from worker.training.feed import Feed, RowsShape
from worker.training.loop import Geometry

# An epoch of so few steps costs less than the call that runs it and the look at the validation
# items after it; so many of them run in one call, which looks at those items itself.
SHORT_EPOCH_STEPS = 64
VALIDATION_ITEMS = 512
EPOCHS_A_CALL = 64


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
    epochs, inside = 1, None
    if is_short and not looks_between:
        epochs = max(1, min(phase.epochs, EPOCHS_A_CALL, feed.capacity // epoch_steps))
        if items and epochs > 1 and validation.is_labelled:
            inside = RowsShape(validation.x.shape[1:], str(validation.x.dtype), items)
    return Geometry(
        feed.batch,
        min(feed.capacity, epochs * epoch_steps),
        classes,
        feed.shapes,
        inside,
        epochs,
        backend,
    )
