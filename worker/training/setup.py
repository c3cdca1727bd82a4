"""Types of what goes into a trial and what comes out while it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol, Self, cast

from app.sent import Sent
from app.spec.backbones import Backbone
from app.spec.epoch_metrics import NAMES, EpochMetrics
from app.spec.figures import Conditions
from app.spec.flaws import Imbalance, LabelNoise
from app.spec.training import Training
from worker.backbones.input_rows import Learnt
from worker.training.checkpoint import Checkpoint, Position
from worker.training.data import Domain, Split


@dataclass(frozen=True)
class TrialSetup:
    """Equal setups train to equal bits on one machine."""

    recipe: str  # of worker.strategies.registry.RECIPES
    params: Sent | None  # the recipe's own, where it has some
    model: Backbone
    training: Training  # its epochs are final
    seed: int
    target: Domain  # what is trained on, validated and tested: in a pretraining the source itself
    source: Domain | None = None  # for strategies that need its data too
    source_classes: int = 0  # outputs of a transfer's source
    source_has_classes: bool = True  # and whether they are classes
    source_weights: Path | None = None  # of the pretraining that this trial starts from
    # Of each of the network's classes in the source's head, where the two order the same ones
    # differently
    source_places: tuple[int, ...] | None = None
    # Of a table's network without its data: the columns by which it has learnt
    learnt: Learnt | None = None
    # Of trained networks that this one learns from, of its own architecture
    teachers: tuple[Path, ...] = ()
    shares_classes: bool = False  # the source's are the network's, in whichever order
    # Of the source's items, that the target's are, where these are fewer
    parts: tuple[str, ...] = ()
    # Whether the weights came from elsewhere, with a backbone that many trials and jobs share
    is_pretrained: bool = False
    # The target's other training items, without their labels, for strategies that can use them
    unlabelled: Split | None = None
    imbalance: Imbalance = "none"
    label_noise: LabelNoise = "none"
    trials: int = 1  # that share the compiled loops of this one


@dataclass(frozen=True)
class EpochRecord:
    """One epoch's metrics on one split.

    On `train` they are of the batches as they were trained on (the weights move meanwhile, Dropout
    is on), on `validation` of the weights at the epoch's end.
    """

    phase: str
    phase_index: int
    epoch: int  # from 1, within its phase
    split: Literal["train", "validation"]
    values: EpochMetrics

    @classmethod
    def of(
        cls,
        phase: str,
        position: Position,
        split: Literal["train", "validation"],
        metrics: dict[str, float],
        rate: float,
        seconds: float,
    ) -> Self:
        """Records the epoch that ends at `position`; of `metrics`, those that it keeps."""
        kept = {name: metrics[name] for name in NAMES if name in metrics}
        values = cast("EpochMetrics", kept | {"learning_rate": rate, "seconds": seconds})
        return cls(phase, position.phase, position.epochs + 1, split, values)


class Signal(StrEnum):
    PAUSE = "pause"
    STOP = "stop"
    BUDGET = "budget"  # the job's seconds are spent


class Interrupted(Exception):
    """Training ended early because a signal said so; with a checkpoint when it was PAUSE."""

    def __init__(self, checkpoint: Checkpoint | None) -> None:
        super().__init__("paused" if checkpoint else "stopped")
        self.checkpoint = checkpoint


class Journal(Protocol):
    """The trial's link to the world."""

    def signal(self) -> Signal | None:
        """Polled between chunks of compiled steps, each half a second or less."""

    def computed_by(self, conditions: Conditions) -> None:
        """Called when a training begins, and when a loop of it turns out not to compile."""

    def moved(self, progress: float) -> None:
        """Called after every chunk; `progress` 0..1 over all phases, the part of the epoch that is
        under way included."""

    def epoch_ended(
        self,
        records: list[EpochRecord],
        progress: float,
        snapshot: Callable[[], Checkpoint],
    ) -> None:
        """Called after every epoch; `progress` 0..1 over all phases. The journal decides whether
        the snapshot is worth taking."""
