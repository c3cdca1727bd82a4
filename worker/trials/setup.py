"""The setup of a trial: what it is trained on and from, out of its rows of the database."""

from dataclasses import dataclass, replace

import numpy as np

from app.datasets.schemas import Schema
from app.spec.plan import PRETRAIN, Role
from app.spec.strategies import AutoArm, Strategy
from app.spec.strategy_catalogue import CATALOGUE
from app.storage import Storage
from app.tasks import TASKS
from worker.audit.audit import without_suspects
from worker.evaluation.measures import measures_of
from worker.training.data import Domain, Split, cut_at_random, cut_validation
from worker.training.label_budget import within_budget
from worker.training.setup import TrialSetup
from worker.trials.engine_setup import engine_setup
from worker.trials.starting_point import starting_point
from worker.trials.trial_data import TrialData


def setup_of(storage: Storage, data: TrialData) -> TrialSetup:
    spec, trial, strategy = data.spec, data.trial, data.strategy
    source = None
    if trial.role == PRETRAIN or (data.sources and _needs_source_data(data, strategy)):
        source = source_domain(storage, data)
    target = None if trial.role == PRETRAIN else _target(storage, data)
    domain = target.domain if target else source
    if domain is None:
        raise ValueError(f"{trial.id}: expected data to train on, got none")
    role: Role = "transfer" if trial.arm in spec.arms else trial.role  # type: ignore[assignment]  # a string in the database
    fixed = None if isinstance(strategy, AutoArm) else strategy
    training = data.training(len(domain.train))
    if not domain.schema.task.has_classes:  # a source's, where the target's labels are smoothed
        training = training.model_copy(update={"label_smoothing": 0.0})
    weights, learnt = starting_point(storage, data)
    return replace(
        engine_setup(spec, role, fixed, trial.seed, domain, training),
        imbalance=(data.found and data.found.imbalance) or spec.imbalance,
        source=source if target else None,
        source_classes=len(data.source_classes),
        source_weights=weights,
        source_places=data.source_places,
        is_pretrained=bool(data.pretrained),
        learnt=learnt,
        source_has_classes=TASKS[data.source_task].has_classes,
        shares_classes=data.shares_classes,
        unlabelled=target.unlabelled if target else None,
        parts=(spec.part,) if spec.part else (),
    )


def target_test(storage: Storage, data: TrialData) -> Split:
    """Test split of the target; its labels count by the job's classes."""
    split = data.target_split(storage, "test")
    own, classes = data.target_schema.classes, data.spec.classes
    if not split.is_labelled or not classes or own == classes:
        return split
    return replace(split, y=TASKS[data.spec.task].placed(split.y, own, classes))


def _needs_source_data(data: TrialData, strategy: Strategy | AutoArm | None) -> bool:
    if data.trial.role in {"score", "reference"}:
        return True
    tried = strategy.portfolio if isinstance(strategy, AutoArm) else (strategy,)
    return any(each and "source_data" in CATALOGUE[each.name].needs for each in tried)


def source_domain(storage: Storage, data: TrialData) -> Domain:
    """One source, or all of the trial's as one: their classes are those of any, in the order of the
    network's outputs where these are the same."""
    schema, split = data.source_schema, source_split(storage, data, "train")
    if data.source_places:
        schema = schema.named(data.classes)
        y = schema.task.placed(split.y, data.source_classes, data.classes)
        split = replace(split, y=y)
    if not split.is_labelled:
        split = split.select(np.flatnonzero(split.known))
    return _labelled(schema, split, data)


def source_split(storage: Storage, data: TrialData, name: str) -> Split:
    """Split of the trial's one source, or of all as one."""
    schemas, classes = data.source_schemas, data.source_classes
    splits = [data.source_split_of(storage, index, name) for index in range(len(data.sources))]
    if len(splits) == 1:
        return splits[0]
    placed = [
        replace(each, y=schema.task.placed(each.y, schema.classes, classes))
        for schema, each in zip(schemas, splits, strict=True)
    ]
    return Split.joined(placed, is_one_origin=False)


@dataclass(frozen=True, eq=False)
class _Target:
    """What a trial gets of the target's training items.

    `unlabelled`: where the job lets them take part, those without a label and those beyond the
    label budget, none with its label.
    """

    domain: Domain
    unlabelled: Split | None = None


def _target(storage: Storage, data: TrialData) -> _Target:
    """Hides its labels where the trial must not see them; then its classes are the source's.
    Nothing of how the rows are parted tells the labels either."""
    schema, split = data.target_schema, data.target_split(storage, "train")
    if not data.hides_labels:
        seen = within_budget(schema, split, data.trial.labels_per_class, data.trial.seed)
        others = None
        if data.spec.target.takes_unlabelled:
            others = split.select(np.setdiff1d(np.arange(len(split)), seen)).without_labels()
        domain = _labelled(schema, split if len(seen) == len(split) else split.select(seen), data)
        return _Target(domain, others)
    fraction = data.spec.training.validation_fraction
    kept, held_out = cut_at_random(len(split), fraction, data.trial.seed, split.groups)
    schema = schema.named(data.classes)
    hidden = split.without_labels()
    return _Target(Domain(schema, hidden.select(kept), hidden.select(held_out)))


def _labelled(schema: Schema, split: Split, data: TrialData) -> Domain:
    fraction = data.spec.training.validation_fraction
    strata = measures_of(schema.task).strata(split.y, data.trial.seed)
    kept, held_out = cut_validation(strata, fraction, data.trial.seed, split.groups)
    train, suspects = split.select(kept), 0
    if data.spec.label_noise == "drop_suspects" and schema.task.has_classes:
        train, suspects = without_suspects(schema, train)
    return Domain(schema, train, split.select(held_out), suspects)
