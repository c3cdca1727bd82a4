"""The memory that a job's trials take, each in a process of its own, before any has run. Pure.

It is meant as an upper bound. The factors were measured (docs/decisions/memory-of-a-trial.md): what
is resident at the peak of a trial and of packaging, less what TensorFlow itself takes, which the
children of a worker share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from app.datasets.schemas import Schema
from app.spec.backbones import CATALOGUE, Backbone
from app.spec.network_size import Shape, Size
from app.spec.plan import MEASURED, PRETRAIN, PlannedTrial, sources_of, trained_items
from app.spec.spec import ResolvedSpec
from app.spec.strategies import AutoArm
from app.spec.strategy_memory import Load, Widths, load_of

LESS_MEMORY = (
    "lower training.batch_size, model.image_size or the network's widths, or give the worker more "
    "memory or fewer training slots"
)

MIB = 2**20
NUMBER = 4  # bytes of a weight or an activation

REPORTING = 256 * MIB  # the program, without a network's graphs
RESIDENT, CHUNK = 512 * MIB, 32 * MIB  # worker/training/feed.py: more is read chunk by chunk
COPIES_OF_DATA = 3.5  # as stored, as an array, as a tensor
INFERENCE, INFERENCE_ROWS = 256 * MIB, 1024  # worker/training/predict.py
BACK = 2.0  # what a step holds, over the activations of its way forth
SPARE = 1.25  # of weights: what was freed and not yet given back
PACKAGED, CONVERTED = 4, 80  # copies of weights, and of kernels of convolutions, in packaging
PACKAGED_ITEMS = 35  # that are asked at once then
LOOKED_BACK = 2 * 512  # worker/trials/training_items.py
COPIES_OF_PREDICTIONS = 1.5  # those of an arm are stacked
FROZEN_PROGRAM = 512 * MIB  # graphs of a frozen network beside the job's own
REPORT = "report"
PACKAGING = "packaging"


@dataclass(frozen=True)
class Need:
    """Bytes of one process."""

    arm: str
    weights: float = 0.0  # with gradients, the optimizer's state and checkpoints
    activations: float = 0.0
    data: float = 0.0
    program: float = 0.0

    @property
    def total(self) -> int:
        return int(self.weights + self.activations + self.data + self.program)


def network_size(model: Backbone, shape: Shape, tokens: int = 1) -> Size:
    """Up to the features, of items of `shape` that have `tokens` parts (`Inputs`)."""
    layers = model.params.layers(model.seen(shape), tokens)
    if model.bottleneck:
        layers.dense(model.bottleneck, bias=False)
        layers.norm()
    return layers.size


class MemoryCase:
    """A job, as far as memory depends on it."""

    def __init__(self, spec: ResolvedSpec, sources: Sequence[Schema], target: Schema) -> None:
        self.spec, self.sources, self.target = spec, sources, target
        self.size = network_size(spec.model, target.inputs.layout, target.inputs.tokens)
        self.seen = spec.model.seen(target.inputs.layout)
        source_classes = {label for schema in sources for label in schema.classes}
        self.widths = Widths(
            self.size.features,
            max(len(spec.classes or target.classes), len(source_classes)),
            len(source_classes),
        )

    @property
    def parameters(self) -> int:
        """Parameters of the network with the larger of its heads."""
        return self.size.parameters + self._head

    @property
    def _head(self) -> int:
        return (self.size.features + 1) * self.widths.classes

    def need(self, trials: Sequence[PlannedTrial]) -> Need:
        """Need of the trial that needs most, or of the job's end."""
        kinds = {trial.kind: trial for trial in trials}
        needs = [need for trial in kinds.values() for need in self._needs(trial)]
        needs += [self._packaging(), *self._distilling(), self._report(trials)]
        return max(needs, key=lambda need: need.total)

    def _needs(self, trial: PlannedTrial) -> list[Need]:
        items = max(1, trained_items(trial, self.spec, self.sources, self.target))
        return [
            Need(
                trial.arm,
                self._weights(load),
                self._activations(load, items),
                self._data(load, trial, items),
                self._program,
            )
            for load in self._loads(trial)
        ]

    @property
    def _program(self) -> int:
        """Bytes of the network's graphs, and of a frozen encoder that was uploaded."""
        own, encoder = CATALOGUE[self.spec.model.backbone].program_bytes, self.spec.model.encoder
        own += FROZEN_PROGRAM if self.spec.model.frozen else 0
        return max(own, encoder.memory_bytes) if encoder and encoder.stored_id else own

    def _loads(self, trial: PlannedTrial) -> list[Load]:
        if (
            trial.role == "reference"
        ):  # the network over characters is smaller than what is warned of
            return [Load(passes=0, source_data=True)]
        if trial.role == "score":
            return [Load(passes=0, looks=1, slots=0, source_data=True, features=True)]
        if trial.arm not in self.spec.arms:
            return [Load()]
        strategy = self.spec.arms[trial.arm].strategy
        tried = strategy.portfolio if isinstance(strategy, AutoArm) else (strategy,)
        beside = self.spec.target.takes_unlabelled
        return [load_of(each, self.widths, beside) for each in tried]

    def _weights(self, load: Load) -> float:
        training, parameters = self.spec.training, self.parameters
        slots = load.slots
        if slots is None:
            slots = 1 if training.optimizer == "sgd" else 2
        trained = load.new + (self._head if load.frozen else parameters)
        held = parameters + load.new + load.networks * parameters + load.fixed
        is_averaged = load.averaged or training.ema_momentum is not None
        state = held + (slots + is_averaged) * trained
        gradients = load.gradients + (training.gradient_clip_norm is not None)
        kept = is_averaged + (training.early_stopping is not None)
        # Twice: a checkpoint holds them all.
        numbers = 2 * state + gradients * trained + kept * held + 2 * self._resizing
        return SPARE * NUMBER * numbers

    @property
    def _raw(self) -> list[Shape]:
        """Bytes of the images as they are stored."""
        return [schema.inputs.layout for schema in (self.target, *self.sources)]

    @property
    def _resizing(self) -> int:
        """Entries of the two matrices that resize images."""
        sides = [zip(shape[:2], self.seen[:2], strict=True) for shape in self._raw]
        return max(sum(b * a for b, a in pairs if b != a) for pairs in sides)

    def _activations(self, load: Load, items: int) -> float:
        training, size = self.spec.training, self.size
        images = max(map(prod, self._raw)) + 2 * prod(self.seen)
        if training.hidden_columns:
            images += 3 * max(map(prod, self._raw))
        if training.augmentation or self.spec.space.augmentation:
            images += 4 * prod(self.seen)
        one = BACK * load.passes * (size.kept + images + 4 * self.widths.classes)
        rows = training.batch_size if load.unlabelled else min(training.batch_size, items)
        step = rows * (one + load.looks * size.widest)
        rows = max(1, min(INFERENCE_ROWS, INFERENCE // (NUMBER * size.widest)))
        return NUMBER * (step + rows * size.widest)

    def _data(self, load: Load, trial: PlannedTrial, items: int) -> float:
        own = self.target
        if trial.role == PRETRAIN:  # of sources that are joined each is like the first
            own = self.sources[sources_of(self.spec, trial.arm)[0]]
        streams = [(own, items)]
        if load.source_data:
            of_arm = (self.sources[place] for place in sources_of(self.spec, trial.arm))
            streams += [(schema, schema.splits.get("train", 0)) for schema in of_arm]
        if load.unlabelled:
            streams.append((own, own.splits["train"]))
        stored = sum(count * schema.inputs.bytes for schema, count in streams)
        loaded = COPIES_OF_DATA * (stored if stored <= RESIDENT else 2 * CHUNK * len(streams))
        rows = sum(count for _, count in streams) if load.features else 0
        return loaded + COPIES_OF_DATA * NUMBER * rows * self.size.features

    def _report(self, trials: Sequence[PlannedTrial]) -> Need:
        """It is made of the predictions of all trials at once."""
        items = self.target.splits.get("test", 0) + LOOKED_BACK
        items += int(self.spec.training.validation_fraction * self.target.splits.get("train", 0))
        measured = sum(trial.role in MEASURED for trial in trials)
        numbers = COPIES_OF_PREDICTIONS * measured * items * (self.widths.classes + 1)
        return Need(REPORT, data=NUMBER * numbers, program=REPORTING)

    @property
    def packaged_networks(self) -> int:
        """Counts the networks of a packaged model, at most: one, or the seeds of an ensemble; where
        it is distilled, their mean is packaged too, to be measured."""
        deploy = self.spec.deploy
        is_averaged = deploy is not None and deploy.ensemble != "none"
        return self.spec.evaluation.seeds if is_averaged else 1

    def _distilling(self) -> list[Need]:
        """The training of one network on what all seeds answer, before packaging."""
        if self.spec.deploy is None or self.spec.deploy.ensemble != "distill":
            return []
        seeds, items = self.packaged_networks, max(1, self.target.splits["train"])
        load, trial = (
            Load(networks=2 * seeds, looks=seeds),
            PlannedTrial("transfer", PACKAGING, 0, None, None),
        )
        return [
            Need(
                PACKAGING,
                self._weights(load),
                self._activations(load, items),
                self._data(load, trial, items),
                self._program,
            )
        ]

    def _packaging(self) -> Need:
        """Networks of an ensemble are converted one after the other."""
        weights = PACKAGED * self.packaged_networks * self.parameters
        weights += CONVERTED * self.size.convolutions
        widest = self.size.widest
        if frozen := self.spec.model.frozen:
            weights += PACKAGED * frozen.parameters + CONVERTED * frozen.convolutions
            widest = max(widest, frozen.widest)
        return Need(
            PACKAGING,
            float(NUMBER * weights),
            float(PACKAGED_ITEMS * NUMBER * widest),
            program=self._program,
        )
