"""Parts that a strategy is made of: phases, each with one loss and its groups of trainable
variables.

A strategy is a pure function `phases(network, params, setting) -> phases`. It builds losses and
names variables; data, seeds, compilation and checkpoints are the engine's (worker/training).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, Self

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from app.spec.strategy_params import FineTuneParams
from app.spec.training import EarlyStopping, Training
from worker.backbones.network import Network
from worker.objectives.classification import CLASSES
from worker.objectives.contract import Objective

PhaseName = Literal["pretrain", "head", "finetune", "adapt"]
Stream = Literal["target", "source", "unlabelled"]
Optimizer = Literal["adam", "adamw", "sgd"]
Schedule = Literal["constant", "cosine", "dann"]


class Batch(NamedTuple):
    """Items of one stream, as the network takes them, and what is known of them.

    `x`: tensors (batch, …) that a strategy hands to `network` unread; in a phase on features the
    one tensor `features`. `y`: labels (batch,), classes as int32 or quantities as float32, which
    mean nothing where `known` (batch,), bool, is false.
    """

    x: Mapping[str, tf.Tensor]
    y: tf.Tensor
    known: tf.Tensor


FEATURES = "features"  # the name of the one tensor of a phase on features
Batches = Mapping[Stream, Batch]
# (a batch of each stream, progress of the phase 0..1, scalar) -> (loss, scalar, mean over the
# batch; outputs (batch, K) of the phase's first stream)
Loss = Callable[[Batches, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]

Features = NDArray[np.float32]  # (n, feature_count)
Labels = NDArray[np.int32]  # (n,)
# The gradients of each task, one a variable -> one a variable.
Combine = Callable[[Sequence[Sequence[tf.Tensor | None]]], list[tf.Tensor | None]]


class Outlook(Protocol):
    """Function that tells what is known of a phase's items before its first step."""

    def __call__(self, named: Stream | None = None, /) -> tuple[Features, Labels]:
        """Features of all items of a stream, of the first where none is named, in inference, and
        their labels."""
        ...


Prepare = Callable[[Outlook], None]
# Features of all rows of the first stream, in inference -> labels for the epoch to come.
Relabel = Callable[[Features], Labels]


@dataclass(frozen=True)
class Group:
    """Variables that learn at one rate. Each group has its own optimizer: Adam is invariant to the
    scale of the gradients, so scaling them would change nothing."""

    variables: tuple[keras.Variable, ...]
    learning_rate: float


@dataclass(frozen=True)
class Convergence:
    """The training loss fell by no more than the fraction `tolerance` in `window` epochs.

    Looked at every `window` epochs only, so that those between can run in one compiled call.
    """

    tolerance: float
    window: int = 5

    def epochs_to_look(self, epochs: int) -> int:
        """Counts, after `epochs` epochs, those until the loss is looked at: 1, 6, 11, … in all."""
        return self.window - (epochs - 1) % self.window

    def reached(self, losses: Sequence[float]) -> bool:
        """`losses`: one a finished epoch, the oldest first."""
        if len(losses) <= self.window or self.epochs_to_look(len(losses) - 1) != 1:
            return False
        before, now = losses[-1 - self.window], losses[-1]
        return before - now <= self.tolerance * before


@dataclass(frozen=True)
class Optimization:
    """Rule by which a phase's gradients become steps. app.spec.training.Training says what each
    means."""

    optimizer: Optimizer = "adam"
    schedule: Schedule = "constant"
    warmup_epochs: int = 0
    weight_decay: float = 0.0
    clip_norm: float | None = None
    ema_momentum: float | None = None
    ema_warms_up: bool = False  # its momentum is at most (1 + t) / (10 + t) after t steps
    early_stopping: EarlyStopping | None = None

    @classmethod
    def of(cls, training: Training) -> Self:
        return cls(
            training.optimizer,
            training.schedule,
            training.warmup_epochs,
            training.weight_decay,
            training.gradient_clip_norm,
            training.ema_momentum,
            early_stopping=training.early_stopping,
        )


@dataclass(frozen=True)
class Phase:
    """A stretch of training. One epoch is one pass over `target`; other streams go round. Training
    metrics are the first stream's."""

    name: PhaseName
    loss: Loss
    groups: tuple[Group, ...]
    epochs: int
    optimization: Optimization = Optimization()
    stop: Convergence | None = None
    streams: tuple[Stream, ...] = ("target",)
    unlabelled_batches: int = 1  # of the job's size, that a step takes of the stream `unlabelled`
    # "features": of the backbone in inference, computed once before the phase; it stays frozen
    inputs: Literal["raw", "features"] = "raw"
    # Beside the trained network: a discriminator, a teacher, weights to stay close to. They start
    # from the trial's seed, and checkpoints hold them.
    companions: tuple[keras.Layer, ...] = ()
    # Networks among the companions that start as the weights of the trial's `teachers`
    teachers: tuple[Network, ...] = ()
    # What starts as the source's head: a companion, or the network's own head
    source_head: keras.Model | None = None
    # Joins the gradients of several tasks; the loss is then a vector, (tasks,).
    combine: Combine | None = None
    after_step: Callable[[Batches], None] | None = None  # called in each step, after the optimizers
    prepare: Prepare | None = None  # called before the first step, when all weights are in place
    relabel: Relabel | None = None  # called before each epoch: pseudo-labels
    # Whose items BatchNorm's statistics are measured on at the phase's end; None: they stay. Those
    # of `target` are with the items of `unlabelled` in a phase that has these
    norms: Stream | None = "target"
    # Whether parts of items go missing where the job says so; false where a loss tells them apart
    hides_parts: bool = True
    # Whether a step has as many of the source's items as the job's `batch_size` says, however few
    # the target's are
    fills_source: bool = False
    augments: bool = True  # false where images must stay as they are, or the loss changes them


@dataclass(frozen=True)
class Unlabelled:
    """Target items without labels take part beside the labelled ones of `target`: there is the
    stream `unlabelled`, and labels of the target may be learnt in the same phase.

    `shares_classes`: the source's head is for the network's own classes. `has_source`: the source's
    items are there too, labelled in these classes.
    """

    shares_classes: bool
    has_source: bool


@dataclass(frozen=True)
class Setting:
    """Facts that a recipe may know besides its network and its parameters.

    Epochs and learning rates are for the phases' own fields, never for a loss: one compiled loop
    serves all of them (worker/training/program.py).
    """

    training: Training
    source_classes: int = 0  # of the source's head; 0 without a source
    objective: Objective = CLASSES
    source_objective: Objective = CLASSES  # where the source's items are learnt too
    unlabelled: Unlabelled | None = None  # None: there are none beside labelled ones
    shares_classes: bool = False  # the source's head is for the network's own outputs
    parts: tuple[str, ...] = ()  # that the target's items are, where the source's have others too
    teachers: int = 0  # trained networks to learn from, beside the one that is started from
    learns_labels: bool = True  # there are labels of the target


Recipe = Callable[[Network, Any, Setting], tuple[Phase, ...]]


def trainable(*models: keras.Model) -> tuple[keras.Variable, ...]:
    return tuple(variable for model in models for variable in model.trainable_variables)


def fine_tuned(
    network: Network, params: FineTuneParams, training: Training, *beside: keras.Model
) -> tuple[Group, Group]:
    """Groups of a fine-tuning: the backbone at `backbone_rate` times the rate, the head and what is
    trained beside it at the rate itself."""
    rate = training.learning_rate
    return (
        Group(trainable(network.backbone), params.backbone_rate * rate),
        Group(trainable(network.head, *beside), rate),
    )
