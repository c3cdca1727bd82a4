"""The shapes of a phase's compiled loop, and how many of its epochs run in one call."""

from dataclasses import dataclass

from worker.backbones.network import Network
from worker.strategies.recipe import Phase
from worker.training.checkpoint import Backend
from worker.training.data import Split
from worker.training.feed import BatchFeed, RowsShape
from worker.training.loop import Shapes

# An epoch of so few steps costs less than the call that runs it and the look at the validation
# items after it; so many of them run in one call, which looks at those items itself.
SHORT_EPOCH_STEPS = 64
VALIDATION_ITEMS = 512
EPOCHS_A_CALL = 64


@dataclass(frozen=True)
class ChunkPlan:
    """Plan of the calls of one phase of one trial."""

    shapes: Shapes  # what its loop is compiled for
    capacity: int  # steps that one call runs at most
    epochs: int  # ends of epochs that one call may hold
    looked_at: int  # validation items that the loop looks at itself

    def room(self, count: int) -> int:
        """Steps for which a call that runs `count` is given data."""
        return self.shapes.steps or count


def chunk_plan(
    phase: Phase,
    feed: BatchFeed,
    validation: Split,
    network: Network,
    backend: Backend,
) -> ChunkPlan:
    how, items, epoch_steps = phase.optimization, len(validation), feed.epoch_steps
    # Averages are put in place, the best weights are kept and labels are made between two epochs.
    looks_between = (
        how.ema_momentum is not None or how.early_stopping is not None or phase.relabel is not None
    )
    most = VALIDATION_ITEMS
    if phase.inputs == "raw":
        most = min(most, network.inference_rows)
    is_short = epoch_steps <= SHORT_EPOCH_STEPS and items <= most
    epochs, looked_at = 1, 0
    if is_short and not looks_between:
        epochs = max(1, min(phase.epochs, EPOCHS_A_CALL, feed.capacity // epoch_steps))
        if epochs > 1 and validation.is_labelled:
            looked_at = items
    capacity = min(feed.capacity, epochs * epoch_steps)
    held_out = RowsShape.of(validation, looked_at)
    classes = network.architecture.outputs
    exact = Shapes(feed.batch, classes, feed.shapes, held_out, capacity, epochs, backend)
    shapes = exact if backend == "xla" else exact.of_any_size()
    return ChunkPlan(shapes, capacity, epochs, looked_at)
