"""One trial under its lease: load the data, train, test once, store."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import structlog
from sqlalchemy.exc import OperationalError

from app.damage import mark
from app.errors import DamagedArtifact, FailureCode, Fenced, WorkFailure
from app.jobs import repository, work
from app.spec.frozen_photos import weights_seen
from app.spec.outcomes import TrialOutcome
from app.spec.plan import PRETRAIN, plan
from app.spec.strategies import AutoArm
from app.storage import Storage
from app.tables.jobs import TrialRow
from worker.backbones.network import Network
from worker.evaluation.arrays import Floats
from worker.evaluation.measures import measures_of
from worker.evaluation.measures.contract import Labels, Measures
from worker.evaluation.predictions import HeldOut, Predictions, held_out, on
from worker.failures import as_failure, diverged
from worker.machine.context import WorkerContext
from worker.search.run import run_search
from worker.search.scoring import score
from worker.training.checkpoint import Checkpoint
from worker.training.data import Split
from worker.training.features import frozen_outputs
from worker.training.predict import changed_outputs, outputs_of
from worker.training.program import keeps_backbone
from worker.training.run import train
from worker.training.setup import Interrupted, TrialSetup
from worker.trials.encoding import with_features
from worker.trials.forgetting import forgetting
from worker.trials.journal import TrialJournal
from worker.trials.lease_keeper import LeaseKeeper
from worker.trials.part_outputs import part_outputs
from worker.trials.pretraining_key import content_key
from worker.trials.referencing import predictions_of
from worker.trials.setup import setup_of, target_test
from worker.trials.shared_items import shared_items
from worker.trials.slices import slices_of_test
from worker.trials.source_rows import told_of
from worker.trials.training_items import look_back
from worker.trials.trial_data import TrialData
from worker.trials.unmoved import unmoved

log = structlog.get_logger(__name__)

Found = TypeVar("Found")

SEARCH_SHARE = 0.4  # of a job's budget of seconds, for all its searches


def run(context: WorkerContext, trial: TrialRow, keeper: LeaseKeeper) -> None:
    """Ends the trial, gives it back, or leaves it to the one who has taken it. Never raises."""
    try:
        with context.scratch() as folder:
            _run(context, trial, keeper, folder)
    except Fenced:
        log.info("trial_lost", trial=trial.id)
    except OperationalError as error:  # the database is away: the lease ends, and another goes on
        log.warning("trial_left", trial=trial.id, error=str(error.orig))
    except Exception as error:
        if not isinstance(error, WorkFailure):
            log.exception("trial_failed", trial=trial.id)
        _fail(context, trial, as_failure(error))


def _run(context: WorkerContext, trial: TrialRow, keeper: LeaseKeeper, folder: Path) -> None:
    with context.database.read() as session:
        data = TrialData.of(session, trial)
    key = content_key(data)
    if key and _take_over(context, data, key):
        return
    journal = TrialJournal(context, trial, keeper, folder)
    if data.encoded or weights_seen(data.spec.inputs):
        encoded = _attempt(context, trial, journal, lambda _: with_features(context, data, journal))
        if encoded is None:
            return
        data = encoded
    setup = setup_of(context.storage, data)
    match trial.role:
        case "score":
            results: dict[str, Any] | None = _without_model(score(setup))
        case "reference":
            asked = partial(predictions_of, setup, data, context.storage, journal)
            found = _attempt(context, trial, journal, lambda _: asked())
            results = None if found is None else _stored(context.storage, found, setup, folder)
        case "search":
            results = _searched(context, data, setup, journal)
        case _:
            results = _trained(context, data, setup, journal, folder)
    if results is None:
        return
    with context.database.write() as session:
        work.finish_trial(
            session,
            trial,
            journal.pending,
            seconds=journal.seconds,
            content_key=key,
            conditions=journal.conditions and journal.conditions.model_dump(),
            **results,
        )
    journal.close()


def _trained(
    context: WorkerContext, data: TrialData, setup: TrialSetup, journal: TrialJournal, folder: Path
) -> dict[str, Any] | None:
    """Outcome of a training; None where the trial was given back, lost or failed, which is then
    written."""
    network = _attempt(context, data.trial, journal, partial(train, setup, journal))
    if network is None:
        return None
    results = _predictions(context.storage, network, setup, data)
    weights = _store_weights(context.storage, network, folder)
    if data.spec.evaluation.forgetting and data.trial.role == "transfer":
        results |= forgetting(context.storage, setup, data)
    results |= unmoved(context.storage, setup, data)
    return {"weights": weights, **_stored(context.storage, results, setup, folder)}


def _stored(
    storage: Storage, results: Predictions, setup: TrialSetup, folder: Path
) -> dict[str, Any]:
    """Arrays and what they come to."""
    measures = measures_of(setup.target.schema.task)
    return {
        "predictions": _store_arrays(storage, results, folder),
        "validation": _metrics(on("validation", results), measures),
        "test": _metrics(on("test", results), measures),
    }


def _searched(
    context: WorkerContext, data: TrialData, setup: TrialSetup, journal: TrialJournal
) -> dict[str, Any] | None:
    """Outcome of a search, as of `_trained`. The weights are the pretraining's: the arm's trials
    start from them."""
    tried, spec = data.strategy, data.spec
    portfolio = tried.portfolio if isinstance(tried, AutoArm) else (tried,)
    seconds = None
    if spec.budget_seconds:
        searches = sum(trial.role == "search" for trial in plan(spec))
        seconds = SEARCH_SHARE * spec.budget_seconds / searches
    outcome = _attempt(
        context,
        data.trial,
        journal,
        lambda start: run_search(
            setup,
            portfolio,
            journal,
            start,
            space=spec.space,
            metric=spec.evaluation.primary_metric,
            seconds=seconds,
        ),
    )
    if outcome is None:
        return None
    return _without_model(outcome, data.source_weights)


def _without_model(outcome: TrialOutcome, weights: str | None = None) -> dict[str, Any]:
    return {"outcome": outcome.model_dump(mode="json"), "weights": weights}


def _attempt(
    context: WorkerContext,
    trial: TrialRow,
    journal: TrialJournal,
    work_on: Callable[[Checkpoint | None], Found],
) -> Found | None:
    """Goes on from the trial's checkpoint. None where it was given back, lost or failed; that is
    then written."""
    try:
        return work_on(journal.start())
    except Interrupted as interruption:
        if interruption.checkpoint:
            journal.give_back(interruption.checkpoint)
        elif failure := journal.overdrawn():
            _fail(context, trial, failure, journal.seconds)
    except WorkFailure as failure:
        _fail(context, trial, failure, journal.seconds)
    return None


def _take_over(context: WorkerContext, data: TrialData, key: str) -> bool:
    """Ends a pretraining with the weights of an equal one of the project, if there is one and
    nothing has been trained yet."""
    trial = data.trial
    if trial.checkpoint:
        return False
    whole = _whole_pretraining(context, data.job.project, key)
    with context.database.write() as session:
        equal = repository.pretrained(session, data.job.project, key) if whole else None
        if equal:
            work.finish_trial(
                session,
                trial,
                content_key=key,
                reused_from=equal.id,
                weights=equal.weights,
                predictions=equal.predictions,
                validation=equal.validation,
            )
    return equal is not None


def _whole_pretraining(context: WorkerContext, project: str, key: str) -> bool:
    """Tells whether an equal one is there whose files are what they were. One that is damaged loses
    its key, and the next is looked at."""
    while True:
        with context.database.read() as session:
            equal = repository.pretrained(session, project, key)
        if equal is None:
            return False
        try:
            for ref in filter(None, (equal.weights, equal.predictions)):
                context.storage.local(ref)
            return True
        except DamagedArtifact as damage:
            mark(context.database, damage)


def _predictions(
    storage: Storage, network: Network, setup: TrialSetup, data: TrialData
) -> Predictions:
    """Labels, where there are some, and outputs of validation and test items. This reads the
    target's test data, once, after the last step of training, and nothing else does."""
    splits: dict[HeldOut, Split] = {"validation": setup.target.validation}
    if data.trial.role != PRETRAIN:
        splits["test"] = target_test(storage, data)
    results = Predictions()
    is_frozen = keeps_backbone(setup)
    for name, split in splits.items():
        outputs = (frozen_outputs if is_frozen else outputs_of)(network, split.items)
        results |= held_out(name, split.y if split.is_labelled else None, outputs)
        if name == "test":
            results |= part_outputs(network, split.items)
            if split.groups is not None:
                results["groups_test"] = split.groups
            if (shared := shared_items(storage, data, split.items)) is not None:
                results["shared_items"] = shared
        if not np.isfinite(outputs).all():  # without validation items nothing has looked yet
            what = f"expected finite outputs of the {name} items, got others after the last epoch"
            raise diverged(what, setup.training.learning_rate, "training")
    if data.trial.role != PRETRAIN:
        results |= slices_of_test(storage, data.target, data.spec.evaluation.slices)
    results |= look_back(network, setup)
    if (told := told_of(data.changes)) is not None:
        results["rewritten"] = told
    if setup.label_noise == "drop_suspects":
        results["suspects"] = np.array([setup.target.suspects, len(setup.target.train)])
    if data.hides_labels:  # by these the arms will be compared
        validation = setup.target.validation
        results["logits_changed"] = changed_outputs(network, validation.items, setup.seed)
    return results


def _metrics(found: tuple[Labels, Floats] | None, measures: Measures) -> dict[str, float] | None:
    return measures.measure(*found) if found else None


def _store_weights(storage: Storage, network: Network, folder: Path) -> str:
    path = folder / "weights.npz"
    network.save_weights(path)
    return storage.put(path)


def _store_arrays(storage: Storage, arrays: Predictions, folder: Path) -> str:
    path = folder / "predictions.npz"
    np.savez(path, **cast("dict[str, Any]", arrays))
    return storage.put(path)


def _fail(
    context: WorkerContext, trial: TrialRow, failure: WorkFailure, seconds: float | None = None
) -> None:
    if failure.code == FailureCode.DEVICE_FAILED:
        context.binding.leave_out()
    if isinstance(failure, DamagedArtifact):
        mark(context.database, failure)
    try:
        with context.database.write() as session:
            work.fail_trial(session, trial, failure, seconds)
    except Fenced:
        log.info("trial_lost", trial=trial.id)
