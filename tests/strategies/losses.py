"""A strategy's loss on a batch, and what its gradient reaches."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from app.spec.strategy_catalogue import CATALOGUE
from tests.training.trials import DOMAIN, SOURCE, images_of, spec
from worker.backbones.network import Architecture, Network
from worker.strategies.recipe import Batch, Phase, Setting
from worker.strategies.registry import RECIPES
from worker.training.data import Split
from worker.training.program import Program

ITEMS = 8


@dataclass(frozen=True)
class Scene:
    network: Network
    phase: Phase
    x: dict[str, np.ndarray]  # as the backbone takes them, 0..1
    y: np.ndarray
    x_source: dict[str, np.ndarray]
    y_source: np.ndarray

    @property
    def batch(self) -> dict[str, Batch]:
        return {
            "target": Batch(self.x, self.y, np.ones(len(self.y), bool)),
            "source": Batch(self.x_source, self.y_source, np.ones(len(self.y_source), bool)),
        }

    def loss(self, progress: float = 0.0) -> float:
        return float(self.phase.loss(self.batch, tf.constant(progress))[0])

    def reached(self, progress: float = 0.0) -> set[str]:
        """Paths of all variables of the phase that the loss's gradient reaches."""
        return reached(self, lambda: self.phase.loss(self.batch, tf.constant(progress))[0])


def reached(here: Scene, value: Callable[[], tf.Tensor]) -> set[str]:
    """Paths of all variables of the phase that the gradient of `value` reaches."""
    found = [here.network.backbone, here.network.head, *here.phase.companions]
    variables = [variable for model in found for variable in model.trainable_variables]
    with tf.GradientTape() as tape:
        made = value()
    gradients = tape.gradient(made, [variable.value for variable in variables])
    return {
        variable.path
        for variable, gradient in zip(variables, gradients, strict=True)
        if gradient is not None and np.abs(gradient.numpy()).max() > 0
    }


def scene(
    name: str,
    source_classes: int = 3,
    backbone: tuple[str, dict[str, Any]] = ("mlp", {"hidden": [6]}),
    **params: Any,
) -> Scene:
    """The strategy's phase on a small network, its companions as they are before the first step.

    Without labels of the target the strategy sees -1 for each.
    """
    job = spec(*backbone, strategies=(name,))
    strategy = job.arms[name].strategy
    chosen = strategy.params.model_copy(update=params)
    network = Network(Architecture.of(job.model, DOMAIN.schema))
    phases = RECIPES[name](network, chosen, Setting(job.training, source_classes))
    program = Program(network, phases)
    program.initialise(3)
    phase = phases[-1]
    train: Split = DOMAIN.train

    def outlook() -> tuple[np.ndarray, np.ndarray]:
        return network.features(train.items.read()).numpy(), train.y

    if phase.prepare:
        phase.prepare(outlook)
    source = SOURCE.train
    if "unlabelled_target" in CATALOGUE[name].needs:
        train = train.without_labels()
    return Scene(
        network,
        phase,
        {"image": np.float32(images_of(train)[:ITEMS]) / 255},
        train.y[:ITEMS],
        {"image": np.float32(images_of(source)[:ITEMS]) / 255},
        source.y[:ITEMS],
    )


def log_softmax(z: np.ndarray) -> np.ndarray:
    z = np.asarray(z, np.float64)
    z = z - z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def cross_entropy(z: np.ndarray, y: np.ndarray) -> float:
    return float(-log_softmax(z)[np.arange(len(y)), y].mean())
