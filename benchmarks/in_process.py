"""A whole job in this process, from its plan to its report, as the service runs it but without a
database: for benchmarks of many small jobs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.inputs.image import ImageInputs
from app.settings import Settings
from app.spec.figures import Conditions
from app.spec.outcomes import Candidate, SearchOutcome
from app.spec.plan import PRETRAIN, PlannedTrial, final_training, plan, sources_of
from app.spec.report import Report
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec, ResolvedSpec
from app.spec.strategies import AutoArm
from app.tasks.classification import Classification
from worker.evaluation.report import TrialResult, build_report
from worker.intake.catalogue import ingest_catalogued
from worker.search.run import run_search
from worker.search.scoring import score
from worker.training.checkpoint import Checkpoint
from worker.training.data import Domain, Split, cut_validation, few_labels
from worker.training.items import Items
from worker.training.predict import outputs_of
from worker.training.run import train
from worker.training.setup import EpochRecord, Signal, TrialSetup
from worker.trials.engine_setup import engine_setup

Pixels = NDArray[np.generic]  # (n, height, width, channels)


def labelled(x: Pixels, y: NDArray[np.integer[Any]]) -> Split:
    return Split.stored(Items.of({"image": x}), y)


def pixels(split: Split) -> Pixels:
    return split.items.read()["image"]


@dataclass(frozen=True)
class Dataset:
    schema: Schema
    train: Split
    test: Split

    @classmethod
    def of(cls, name: str, train: Split, test: Split) -> "Dataset":
        """Of uint8 pictures, (n, height, width, channels), and labels 0 to K - 1."""
        classes = int(train.y.max()) + 1
        counts = {
            of: tuple(np.bincount(split.y, minlength=classes).tolist())
            for of, split in (("train", train), ("test", test))
        }
        schema = Schema(
            inputs=ImageInputs(shape=pixels(train).shape[1:], dtype="uint8", value_range=(0, 255)),
            task=Classification(classes=tuple(f"{name} {label}" for label in range(classes))),
            splits={"train": len(train), "test": len(test)},
            class_counts=counts,
        )
        return cls(schema, train, test)

    @classmethod
    def catalogued(cls, name: str, folder: Path) -> "Dataset":
        folder.mkdir()
        taken = ingest_catalogued(name, Settings(data_dir=folder), folder)
        arrays = {key: np.load(path) for key, path in taken.arrays.items()}
        train, test = (labelled(arrays[f"x_{of}"], arrays[f"y_{of}"]) for of in ("train", "test"))
        return cls(taken.schema, train, test)

    def few(self, per_class: int, seed: int) -> "Dataset":
        """With no more than so many training items of each class."""
        rows = few_labels(self.train.y, per_class, seed)
        train = labelled(pixels(self.train)[rows], self.train.y[rows])
        counts = self.schema.class_counts | {"train": tuple(np.bincount(train.y).tolist())}
        splits = self.schema.splits | {"train": len(train)}
        schema = self.schema.model_copy(update={"splits": splits, "class_counts": counts})
        return replace(self, schema=schema, train=train)

    def few_of(self, per_class: int, seed: int) -> "Dataset":
        """The same of items of any kind."""
        train = self.train.select(few_labels(self.train.y, per_class, seed))
        classes = len(self.schema.classes)
        counts = tuple(np.bincount(train.y, minlength=classes).tolist())
        schema = self.schema.model_copy(
            update={
                "splits": self.schema.splits | {"train": len(train)},
                "class_counts": self.schema.class_counts | {"train": counts},
            }
        )
        return replace(self, schema=schema, train=train)

    def permuted(self, seed: int) -> "Dataset":
        """With its training labels dealt anew: nothing is left to learn of the classes."""
        y = np.random.default_rng(seed).permutation(self.train.y)
        return replace(self, train=replace(self.train, y=y))

    def redrawn(self, change: Callable[[Pixels], Pixels]) -> "Dataset":
        """With other pictures of the same shape and dtype."""
        train, test = (labelled(change(pixels(of)), of.y) for of in (self.train, self.test))
        return replace(self, train=train, test=test)


def transposed(x: Pixels) -> Pixels:
    """Square pictures with rows and columns exchanged."""
    return np.ascontiguousarray(x.transpose(0, 2, 1, 3))


def constant(x: Pixels) -> Pixels:
    """Pictures that all have the same grey."""
    return np.full(x.shape, 128, x.dtype)


def resolved(fields: dict[str, Any], sources: Sequence[Dataset], target: Dataset) -> ResolvedSpec:
    facts = [SourceFacts(source.schema) for source in sources]
    return resolve(JobSpec.model_validate(fields), facts, target.schema)[0]


@dataclass
class Runner:
    """Jobs one after the other, with what later ones can use of earlier ones' pretrainings."""

    folder: Path
    _trained: dict[tuple[Any, ...], "_Pretrained"] = field(default_factory=dict)

    def run(self, spec: ResolvedSpec, sources: Sequence[Dataset], target: Dataset) -> Report:
        starts: dict[int, Path] = {}
        found: dict[int, Candidate] = {}
        results: list[TrialResult] = []
        for position, planned in enumerate(plan(spec)):
            needed, chosen = None, None
            if planned.depends_on is not None:
                needed, chosen = starts.get(planned.depends_on), found.get(planned.depends_on)
            places = sources_of(spec, planned.arm)
            if len(places) > 1:
                raise ValueError(f"{planned.arm}: expected one source at most, got {len(places)}")
            source = sources[places[0]] if places else None
            setup = setup_of(spec, planned, source, target, needed, chosen)
            if planned.role == PRETRAIN and source:
                before = self._pretrained(setup, source)
                starts[position] = before.weights
                results.append(_result(planned, before.seconds, **before.arrays))
                continue
            results.append(done := _trial(planned, setup, target, spec))
            if isinstance(done.outcome, SearchOutcome):
                found[position] = done.outcome.chosen
                if needed:
                    starts[position] = needed
        schema = target.schema
        return build_report(spec, results, schema.task, schema.class_counts["train"])

    def _pretrained(self, setup: TrialSetup, source: Dataset) -> "_Pretrained":
        key = (id(source), setup.seed, setup.model, setup.training)
        if key not in self._trained:
            began = time.perf_counter()
            network = train(setup, FirstValidation())
            seconds = time.perf_counter() - began
            weights = self.folder / f"weights {len(self._trained)}.npz"
            network.save_weights(weights)
            held_out = setup.target.validation
            arrays = {
                "y_validation": held_out.y,
                "logits_validation": outputs_of(network, held_out.items),
            }
            self._trained[key] = _Pretrained(source, weights, seconds, arrays)
        return self._trained[key]


@dataclass(frozen=True)
class _Pretrained:
    source: Dataset  # kept, so that no other can come by its id
    weights: Path
    seconds: float
    arrays: dict[str, Any]


def _trial(
    planned: PlannedTrial, setup: TrialSetup, target: Dataset, spec: ResolvedSpec
) -> TrialResult:
    journal, began = FirstValidation(), time.perf_counter()
    if planned.role == "score":
        outcome = score(setup)
        return _result(planned, time.perf_counter() - began, outcome=outcome)
    if planned.role == "search":
        strategy = spec.arms[planned.arm].strategy if planned.arm in spec.arms else None
        portfolio = strategy.portfolio if isinstance(strategy, AutoArm) else (strategy,)
        searched = run_search(
            setup,
            portfolio,
            journal,
            space=spec.space,
            metric=spec.evaluation.primary_metric,
        )
        return _result(planned, time.perf_counter() - began, outcome=searched)
    network = train(setup, journal)
    held_out = setup.target.validation
    return _result(
        planned,
        time.perf_counter() - began,
        y_test=target.test.y,
        logits_test=outputs_of(network, target.test.items),
        y_validation=held_out.y,
        logits_validation=outputs_of(network, held_out.items),
        first_epoch=journal.values,
    )


def _result(planned: PlannedTrial, seconds: float, **found: Any) -> TrialResult:
    return TrialResult(
        arm=planned.arm,
        role=planned.role,
        seed=planned.seed,
        labels_per_class=planned.labels_per_class,
        seconds=seconds,
        **found,
    )


def setup_of(
    spec: ResolvedSpec,
    planned: PlannedTrial,
    source: Dataset | None,
    target: Dataset,
    weights: Path | None,
    chosen: Candidate | None,
) -> TrialSetup:
    """As worker/trials/setup.py makes it of the stored rows."""
    arm = spec.arms.get(planned.arm)
    strategy = chosen.strategy if chosen else arm.strategy if arm else None
    given = source if planned.role == PRETRAIN and source else target
    domain = _cut(given, planned, spec.training.validation_fraction)
    training = final_training(spec, planned.role, len(domain.train))
    training = chosen.training(training) if chosen else training
    role: Literal["transfer"] | Any = "transfer" if arm else planned.role
    empty = np.arange(0)
    fixed = None if isinstance(strategy, AutoArm) else strategy
    return replace(
        engine_setup(spec, role, fixed, planned.seed, domain, training),
        source=Domain(source.schema, source.train, source.train.select(empty)) if source else None,
        source_classes=len(source.schema.classes) if source else 0,
        source_weights=weights,
    )


def _cut(dataset: Dataset, planned: PlannedTrial, fraction: float) -> Domain:
    given = dataset.train
    if planned.labels_per_class:
        given = given.select(few_labels(given.y, planned.labels_per_class, planned.seed))
    kept, held_out = cut_validation(given.y, fraction, planned.seed)
    return Domain(dataset.schema, given.select(kept), given.select(held_out))


class FirstValidation:
    """A journal that keeps the first epoch's metrics on validation."""

    def __init__(self) -> None:
        self.values: dict[str, float] | None = None

    def signal(self) -> Signal | None:
        return None

    def epoch_ended(
        self, records: list[EpochRecord], progress: float, snapshot: Callable[[], Checkpoint]
    ) -> None:
        validated = [record.values for record in records if record.split == "validation"]
        if self.values is None and validated:
            self.values = validated[0]

    def computed_by(self, conditions: Conditions) -> None:
        pass

    def moved(self, progress: float) -> None:
        pass
