"""Networks and compiled loops that a process keeps from trial to trial.

Compiling takes seconds and assigning weights milliseconds, so a trial takes the program of its kind
and gives it weights of its own.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from pydantic import BaseModel

from app.sent import Sent
from app.spec.backbones import CATALOGUE
from app.spec.strategy_catalogue import CATALOGUE as STRATEGIES
from app.spec.training import Augmentation
from worker.backbones.initialisation import Initialiser
from worker.backbones.network import Architecture, Network
from worker.inputs.contract import InputLayers, X
from worker.machine.device import resolve_precision, this_device
from worker.objectives import objective_of
from worker.objectives.classification import CLASSES
from worker.objectives.contract import Objective
from worker.objectives.flawed import training_objective
from worker.objectives.wrapped import Wrapped
from worker.strategies.recipe import Phase, Setting, Stream, Unlabelled
from worker.strategies.registry import RECIPES
from worker.strategies.seeds import Seeds
from worker.training.checkpoint import Backend
from worker.training.data import Domain, Labels
from worker.training.limits import DeviceLimits
from worker.training.loop import Loop, Shapes
from worker.training.setup import TrialSetup

KEPT, KEPT_LOOPS = 16, 8
# How long and how fast: a compiled loop is told with each call, so one serves them all.
SCHEDULING = {
    "epochs",
    "min_steps",
    "pretrain_epochs",
    "pretrain_min_steps",
    "max_epochs",
    "learning_rate",
    "head_learning_rate",
    "backbone_rate",
    "finetune_rate",
}
# Below, compiling costs more than it saves. On a CPU a head on features has little to save; a GPU's
# plain loop waits for the host in each step (1.9 ms of 1.9), whatever it computes.
XLA_FROM_STEPS: dict[tuple[str, str], int] = {
    ("cpu", "raw"): 1000,
    ("cpu", "features"): 4000,
    ("gpu", "raw"): 500,
    ("gpu", "features"): 500,
}
# MobileNetV2 compiles in 70 s, most of it cuDNN's compiling of what it tries; a step then takes
# 5 ms, the plain loop's 45 (H100).
SLOW_TO_COMPILE = 4

Settings = TypeVar("Settings", bound=BaseModel)


class Program:
    """A network, a recipe's phases over it, and their compiled loops."""

    def __init__(
        self,
        network: Network,
        phases: tuple[Phase, ...],
        source: Architecture | None = None,
        augmentation: Augmentation | None = None,
        hidden_columns: float = 0.0,
        hidden_parts: float = 0.0,
        identity: str = "",
        objective: Objective = CLASSES,
        source_objective: Objective = CLASSES,
    ) -> None:
        """`source`: for the source's raw items, where they are others than the target's.
        `identity`: of all that is compiled but for its sizes, the same in another process."""
        self.network = network
        self.phases = phases
        self._augmentation, self._seeds = augmentation, Seeds()
        self._hidden_columns, self._hidden_parts = hidden_columns, hidden_parts
        self._inputs: dict[Stream, InputLayers] = {
            "target": network.inputs,
            "source": source.input_layers() if source else network.inputs,
            "unlabelled": network.inputs,
        }
        companions = dict.fromkeys(model for phase in phases for model in phase.companions)
        if augmentation or hidden_columns or hidden_parts:
            companions[self._seeds] = None
        self._initialisers = [Initialiser(model.variables) for model in companions]
        self.variables = [
            *network.variables,
            *(variable for model in companions for variable in model.variables),
        ]
        self._loops: dict[tuple[int, Shapes], Loop] = {}
        self.limits = [DeviceLimits(_learns_lookups(network, phase)) for phase in phases]
        self._identity, self._objective = identity, objective
        self._objectives: dict[Stream, Objective] = {
            "target": objective,
            "source": source_objective,
            "unlabelled": objective,
        }

    @property
    def source_inputs(self) -> InputLayers:
        """Layers that make of the source's raw items what the network takes."""
        return self._inputs["source"]

    def rescheduled(self, phases: tuple[Phase, ...]) -> "Program":
        """The same with the epochs and rates of `phases`, which differ in nothing else."""
        program = copy(self)
        program.phases = tuple(
            replace(
                mine,
                epochs=phase.epochs,
                stop=phase.stop,
                groups=tuple(
                    replace(group, learning_rate=other.learning_rate)
                    for group, other in zip(mine.groups, phase.groups, strict=True)
                ),
            )
            for mine, phase in zip(self.phases, phases, strict=True)
        )
        return program

    def initialise(self, seed: int) -> None:
        self.network.initialise(seed)
        for index, initialiser in enumerate(self._initialisers):
            initialiser.initialise(seed + index + 1)

    def start_from(self, source: Path, setup: TrialSetup) -> None:
        """Loads the source's backbone, and its head where a phase has a use for it, its classes
        put into this order; and the trial's teachers."""
        self.network.load_backbone(source, setup.learnt)
        for head in {phase.source_head for phase in self.phases if phase.source_head}:
            self.network.load_head(source, head, setup.source_places)
        for phase in self.phases:
            for teacher, path in zip(phase.teachers, setup.teachers, strict=True):
                teacher.load_weights(path)

    def watched_loss(self, y: Labels, outputs: NDArray[np.float32], plain: float) -> float:
        """Loss that early stopping goes by, a mean over items: the loss that is trained for.
        `plain` is the task's own, which may rise while that falls."""
        if not isinstance(self._objective, Wrapped):
            return plain
        return float(self._objective.mean_loss(tf.constant(outputs), tf.constant(y)))

    def loop(self, phase_index: int, shapes: Shapes) -> Loop:
        """The loop of a phase, its optimizers as before the first step."""
        key = phase_index, shapes
        loop = self._loops.pop(key, None) or Loop(
            self.phases[phase_index],
            self.network,
            shapes,
            self._prepare(phase_index),
            self._objectives,
            f"{self._identity} {phase_index}",
        )
        self._loops[key] = loop  # the youngest stands last
        if len(self._loops) > KEPT_LOOPS:
            del self._loops[next(iter(self._loops))]
        loop.reset()
        loop.is_deterministic &= not self.limits[phase_index].without_determinism
        return loop

    def _prepare(self, phase_index: int) -> dict[Stream, Callable[[X], X]]:
        augments = self.phases[phase_index].augments
        how, most, chance = None, 0.0, 0.0
        if augments:
            how, most = self._augmentation, self._hidden_columns
            chance = self._hidden_parts if self.phases[phase_index].hides_parts else 0.0

        def prepared_by(layers: InputLayers) -> Callable[[X], X]:
            def prepare(raw: X) -> X:
                if chance:
                    raw = layers.without_parts(raw, chance, self._seeds.draw())
                x = layers.seen(layers.hidden(raw, most, self._seeds.draw()) if most else raw)
                return layers.augmented(x, how, self._seeds.draw()) if how else x

            return prepare

        return {stream: prepared_by(layers) for stream, layers in self._inputs.items()}


@lru_cache(KEPT)
def shared_network(architecture: Architecture) -> Network:
    """The process's one network of an architecture: whoever loads weights into it owns it."""
    return Network(architecture)


def program_of(setup: TrialSetup) -> Program:
    training = setup.training
    precision = resolve_precision(training.precision, setup.model)
    architecture = Architecture.of(setup.model, setup.target.schema, precision)
    source = setup.source and Architecture.of(setup.model, setup.source.schema, precision)
    setting = Setting(training, setup.source_classes, _objective(setup.target, setup))
    shares, teachers = setup.shares_classes, len(setup.teachers)
    setting = replace(setting, shares_classes=shares, parts=setup.parts, teachers=teachers)
    setting = replace(setting, learns_labels=setup.target.train.is_labelled)
    if setup.source:
        setting = replace(setting, source_objective=_objective(setup.source, setup))
    takes = setup.recipe in STRATEGIES and STRATEGIES[setup.recipe].takes_unlabelled
    if setup.unlabelled and takes:
        beside = Unlabelled(shares, has_source=setup.source is not None and shares)
        setting = replace(setting, unlabelled=beside)
    return _program(architecture, source, setup.recipe, setup.params, setting)


def keeps_backbone(setup: TrialSetup) -> bool:
    """Tells whether the trial's backbone stays as it came from elsewhere: what has been computed of
    it once serves all such trials."""
    phases = program_of(setup).phases
    return setup.is_pretrained and all(p.inputs == "features" and p.norms is None for p in phases)


def _learns_lookups(network: Network, phase: Phase) -> bool:
    learnt = {id(variable) for group in phase.groups for variable in group.variables}
    of_backbone = {id(variable) for variable in network.backbone.trainable_variables}
    return network.looks_up and phase.inputs == "raw" and not learnt.isdisjoint(of_backbone)


def _objective(domain: Domain, setup: TrialSetup) -> Objective:
    task, train = domain.schema.task, domain.train
    if not task.has_classes:  # a source's, where the target has some
        return objective_of(task)
    counts = np.bincount(train.y[train.known], minlength=task.outputs).tolist()
    return training_objective(task, setup.imbalance, setup.label_noise, counts)


@lru_cache(KEPT)
def _program(
    architecture: Architecture,
    source: Architecture | None,
    recipe: str,
    params: Sent | None,
    setting: Setting,
) -> Program:
    compiled = _compiled(
        architecture,
        source,
        recipe,
        params and _without_scheduling(params),
        replace(setting, training=_without_scheduling(setting.training)),
    )
    return compiled.rescheduled(RECIPES[recipe](compiled.network, params, setting))


@lru_cache(KEPT)
def _compiled(
    architecture: Architecture,
    source: Architecture | None,
    recipe: str,
    params: Sent | None,
    setting: Setting,
) -> Program:
    network = shared_network(architecture)
    phases = RECIPES[recipe](network, params, setting)
    identity = f"{this_device()} {(architecture, source, recipe, params, setting)}"
    training = setting.training
    changes = training.augmentation, training.hidden_columns, training.hidden_parts
    objectives = setting.objective, setting.source_objective
    return Program(network, phases, source, *changes, identity, *objectives)


def _without_scheduling(settings: Settings) -> Settings:
    fields = type(settings).model_fields
    return settings.model_copy(
        update={name: fields[name].default for name in SCHEDULING & set(fields)}
    )


def forget() -> None:
    """Drops all that is kept, as a fresh process would be."""
    _program.cache_clear()
    _compiled.cache_clear()
    shared_network.cache_clear()


def choose_backend(phase: Phase, network: Network, steps: int, trials: int) -> Backend:
    """XLA for long runs, on a CPU of dense layers only: there its convolutions and Keras's Dropout
    are slow.

    `steps` make an epoch, and `trials` of one job share the compiled loop.
    """
    device, model = this_device(), network.architecture.model
    is_dense = CATALOGUE[model.backbone].is_dense and not model.params.has_dropout
    dense = phase.inputs == "features" or is_dense
    least = XLA_FROM_STEPS[device.kind, phase.inputs]
    if device.is_gpu and phase.inputs == "raw" and CATALOGUE[model.backbone].compiles_slowly:
        least *= SLOW_TO_COMPILE
    is_long = phase.epochs * steps * trials >= least
    return "xla" if is_long and (dense or device.is_gpu) else "plain"
