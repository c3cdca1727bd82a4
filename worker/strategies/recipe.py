"""What a strategy is made of: phases, each with one loss and its groups of trainable variables.

A strategy is a pure function `phases(network, params, training) -> phases`. It builds losses and
names variables; data, seeds, compilation and checkpoints are the engine's (worker/training).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import tensorflow as tf

from app.jobs.spec import Training
from worker.backbones.network import Network

PhaseName = Literal["pretrain", "head", "finetune", "adapt"]
Stream = Literal["domain", "source"]
Optimizer = Literal["adam", "adamw", "sgd"]

# One batch a stream: items (batch, …) and labels (batch,), int32.
Batch = Mapping[Stream, tuple[tf.Tensor, tf.Tensor]]
# -> (loss, scalar, mean over the batch; logits (batch, classes) of the phase's first stream)
Loss = Callable[[Batch], tuple[tf.Tensor, tf.Tensor]]


@dataclass(frozen=True)
class Group:
    """Variables that learn at one rate. Each group has its own optimizer: Adam is invariant to the
    scale of the gradients, so scaling them would change nothing."""

    variables: tuple[keras.Variable, ...]
    learning_rate: float


@dataclass(frozen=True)
class Convergence:
    """The training loss fell by no more than the fraction `tolerance` in `window` epochs."""

    tolerance: float
    window: int = 5

    def reached(self, losses: Sequence[float]) -> bool:
        """`losses`: one a finished epoch, the oldest first."""
        if len(losses) <= self.window:
            return False
        before, now = losses[-1 - self.window], losses[-1]
        return before - now <= self.tolerance * before


@dataclass(frozen=True)
class Phase:
    """A stretch of training. One epoch is one pass over the first stream; others go round."""

    name: PhaseName
    loss: Loss
    groups: tuple[Group, ...]
    epochs: int
    optimizer: Optimizer = "adam"
    weight_decay: float = 0.0
    stop: Convergence | None = None
    streams: tuple[Stream, ...] = ("domain",)
    # "features": of the backbone in inference, computed once before the phase; it stays frozen
    inputs: Literal["raw", "features"] = "raw"
    companions: tuple[keras.Model, ...] = ()  # networks beside the trained one: a discriminator


Recipe = Callable[[Network, Any, Training], tuple[Phase, ...]]


def trainable(*models: keras.Model) -> tuple[keras.Variable, ...]:
    return tuple(variable for model in models for variable in model.trainable_variables)
