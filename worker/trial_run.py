"""One trial under its lease: load the data, train, test once, store."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from sqlalchemy.exc import OperationalError

from app.datasets.schemas import Schema
from app.datasets.tables import DatasetRow
from app.errors import FailureCode, Fenced, WorkFailure
from app.jobs import repository, work
from app.jobs.plan import PRETRAIN
from app.jobs.spec import ResolvedSpec
from app.jobs.strategies import CATALOGUE
from app.jobs.tables import JobRow, TrialRow
from app.storage import Storage
from worker.backbones.network import Network
from worker.evaluation.metrics import classification_metrics
from worker.failures import as_failure
from worker.lease_keeper import LeaseKeeper
from worker.pretraining_key import pretraining_key
from worker.stored_data import dataset_split
from worker.training.checkpoint import Checkpoint
from worker.training.data import Domain, cut_validation, few_labels
from worker.training.device import resolve_precision
from worker.training.predict import logits
from worker.training.run import train
from worker.training.setup import Interrupted, TrialSetup
from worker.trial_journal import TrialJournal
from worker.workplace import Workplace

log = structlog.get_logger(__name__)


def run(place: Workplace, trial: TrialRow, keeper: LeaseKeeper) -> None:
    """Ends the trial, gives it back, or leaves it to the one who has taken it. Never raises."""
    try:
        with tempfile.TemporaryDirectory(dir=place.scratch) as folder:
            _run(place, trial, keeper, Path(folder))
    except Fenced:
        log.info("trial_lost", trial=trial.id)
    except OperationalError as error:  # the database is away: the lease ends, and another goes on
        log.warning("trial_left", trial=trial.id, error=str(error.orig))
    except Exception as error:
        if not isinstance(error, WorkFailure):
            log.exception("trial_failed", trial=trial.id)
        _fail(place, trial, as_failure(error))


def _run(place: Workplace, trial: TrialRow, keeper: LeaseKeeper, folder: Path) -> None:
    with place.database.read() as session:
        job = session.get_one(JobRow, trial.job_id)
        pretraining = trial.role == PRETRAIN
        source = session.get_one(DatasetRow, job.source_ids[0])
        dataset = source if pretraining else session.get_one(DatasetRow, job.target_id)
        needed = session.get_one(TrialRow, trial.depends_on) if trial.depends_on else None
    key = _content_key(job, trial, dataset)
    if key and _take_over(place, job, trial, key):
        return
    setup = _setup(place.storage, job, trial, dataset, source, needed)
    journal = TrialJournal(place, trial, keeper, folder)
    network = _train(place, trial, setup, journal)
    if network is None:
        return
    seconds = journal.seconds
    results = _predictions(place.storage, network, setup, dataset)
    weights = _store_weights(place.storage, network, folder)
    predictions = _store_arrays(place.storage, results, folder)
    with place.database.write() as session:
        work.finish_trial(
            session,
            trial,
            journal.pending,
            seconds=seconds,
            content_key=key,
            weights=weights,
            predictions=predictions,
            validation=_metrics(results, "validation"),
            test=_metrics(results, "test"),
        )
    journal.close()


def _train(
    place: Workplace, trial: TrialRow, setup: TrialSetup, journal: TrialJournal
) -> Network | None:
    """None where the trial was given back, lost or failed; that is then written."""
    start = Checkpoint.load(place.storage.local(trial.checkpoint)) if trial.checkpoint else None
    try:
        return train(setup, journal, start)
    except Interrupted as interruption:
        if interruption.checkpoint:
            journal.give_back(interruption.checkpoint)
        elif failure := journal.overdrawn():
            _fail(place, trial, failure, journal.seconds)
    except WorkFailure as failure:
        _fail(place, trial, failure, journal.seconds)
    return None


def _content_key(job: JobRow, trial: TrialRow, source: DatasetRow) -> str | None:
    """Of a pretraining, where its source's content has a name."""
    if trial.role != PRETRAIN or source.content_hash is None:
        return None
    spec = ResolvedSpec.model_validate(job.spec)
    precision = resolve_precision(spec.training.precision)
    return pretraining_key(spec, source.content_hash, trial.seed, precision)


def _take_over(place: Workplace, job: JobRow, trial: TrialRow, key: str) -> bool:
    """Ends a pretraining with the weights of an equal one of the project, if there is one and
    nothing has been trained yet."""
    if trial.checkpoint:
        return False
    with place.database.write() as session:
        equal = repository.pretrained(session, job.project, key)
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


def _setup(
    storage: Storage,
    job: JobRow,
    trial: TrialRow,
    dataset: DatasetRow,
    source: DatasetRow,
    needed: TrialRow | None,
) -> TrialSetup:
    spec = ResolvedSpec.model_validate(job.spec)
    strategy = spec.arms.get(trial.arm)
    needs = CATALOGUE[strategy.name].needs if strategy else ()

    def domain(row: DatasetRow, labels_per_class: int | None) -> Domain:
        labelled = dataset_split(storage, row, "train")
        if labels_per_class:
            labelled = labelled.select(few_labels(labelled.y, labels_per_class, trial.seed))
        kept, held_out = cut_validation(labelled.y, spec.training.validation_fraction, trial.seed)
        schema = Schema.model_validate(row.schema)
        return Domain(schema, labelled.select(kept), labelled.select(held_out))

    return TrialSetup(
        spec=spec,
        role=trial.role,  # type: ignore[arg-type]  # a string in the database
        strategy=strategy,
        seed=trial.seed,
        domain=domain(dataset, trial.labels_per_class),
        source=domain(source, None) if "source_data" in needs else None,
        source_classes=len(Schema.model_validate(source.schema).classes) if strategy else 0,
        source_weights=storage.local(needed.weights) if needed and needed.weights else None,
    )


def _predictions(
    storage: Storage, network: Network, setup: TrialSetup, dataset: DatasetRow
) -> dict[str, Any]:
    """Labels and logits of validation and test items. This reads the target's test data, once,
    after the last step of training, and nothing else does."""
    splits = {"validation": setup.domain.validation}
    if setup.role != "pretrain":
        splits["test"] = dataset_split(storage, dataset, "test")
    results: dict[str, Any] = {}
    for name, split in splits.items():
        results[f"y_{name}"] = split.y
        results[f"logits_{name}"] = outputs = logits(network, split.x)
        if not np.isfinite(outputs).all():  # without validation items nothing has looked yet
            detail = f"expected finite logits of the {name} items, got others after the last epoch"
            raise WorkFailure(FailureCode.DIVERGED, detail, stage="training")
    return results


def _metrics(results: dict[str, Any], split: str) -> dict[str, float] | None:
    y = results.get(f"y_{split}")
    if y is None or not len(y):
        return None
    return classification_metrics(y, results[f"logits_{split}"])


def _store_weights(storage: Storage, network: Network, folder: Path) -> str:
    path = folder / "weights.npz"
    network.save_weights(path)
    return storage.put(path)


def _store_arrays(storage: Storage, arrays: dict[str, Any], folder: Path) -> str:
    path = folder / "predictions.npz"
    np.savez(path, **arrays)
    return storage.put(path)


def _fail(
    place: Workplace, trial: TrialRow, failure: WorkFailure, seconds: float | None = None
) -> None:
    try:
        with place.database.write() as session:
            work.fail_trial(session, trial, failure, seconds)
    except Fenced:
        log.info("trial_lost", trial=trial.id)
