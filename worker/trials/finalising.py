"""The end of a job under its lease: the report, the packaged winner, the deployment. A cancelled
job has its report alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from sqlalchemy.exc import OperationalError

from app.damage import mark
from app.datasets.schemas import Schema
from app.deployments import repository as deployments
from app.errors import DamagedArtifact, Fenced
from app.jobs import repository, work
from app.jobs.events import Event
from app.jobs.lifecycle import FINALISING
from app.jobs.presenting import present_evidence
from app.models import repository as models
from app.models.schemas import Signature
from app.spec.report import Report
from app.spec.spec import ResolvedSpec
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow, TrialRow
from app.tasks.contract import Metric
from app.tensors import Tensors
from worker.datasets import encoder_store
from worker.datasets.stored_data import dataset_split
from worker.evaluation.archive import read_arrays, report_of, with_packaged
from worker.evaluation.served_arm import served_arm
from worker.evaluation.tested_answers import card_of_answers
from worker.failures import as_failure
from worker.machine.context import WorkerContext
from worker.objectives import objective_of
from worker.packaging.averaging import averaged_model
from worker.packaging.golden import GOLDEN_ITEMS
from worker.packaging.onnx_graph import package
from worker.training.setup import Interrupted, Signal
from worker.trials.ended_job import EndedJob
from worker.trials.packaged_reference import packaged_reference
from worker.trials.served_encoder import served_encoder
from worker.trials.served_network import served_network
from worker.trials.trial_data import TrialData

log = structlog.get_logger(__name__)


def run(context: WorkerContext, job: JobRow, signal: Callable[[], Signal | None]) -> None:
    """Ends the job, gives it back, or leaves it to the one who has taken it. Never raises.

    Args:
        signal: whatever it says ends a training that the finaliser does.
    """
    try:
        with context.scratch() as folder:
            _run(context, _read(context, job, signal), folder)
    except Interrupted:
        _give_back(context, job)
    except Fenced:
        log.info("finalisation_lost", job=job.id)
    except OperationalError as error:  # the database is away: the lease ends, and another goes on
        log.warning("finalisation_left", job=job.id, error=str(error.orig))
    except Exception as error:
        log.exception("finalisation_failed", job=job.id)
        failure = as_failure(error)
        if isinstance(failure, DamagedArtifact):
            mark(context.database, failure)
        failure.stage = failure.stage or FINALISING
        try:
            with context.database.write() as session:
                work.fail_finalisation(session, job, failure)
        except Fenced:
            log.info("finalisation_lost", job=job.id)


def _give_back(context: WorkerContext, job: JobRow) -> None:
    try:
        with context.database.write() as session:
            work.release_finalisation(session, job)
    except Fenced:  # the job is paused or cancelled, or another has it
        log.info("finalisation_lost", job=job.id)


def _run(context: WorkerContext, ended: EndedJob, folder: Path) -> None:
    job = ended.job
    report = report_of(ended.evidence, lambda ref: read_arrays(ended.result(context.storage, ref)))
    is_wanted = job.status != "cancelled"  # nobody waits for a cancelled job's model
    packaged = _packaged(context, ended, report, folder) if is_wanted else None
    if packaged:
        report = with_packaged(report, packaged.pop("cost", None), packaged.pop("distilled", None))
    deploy = ended.spec.deploy
    proven = report.is_proven
    with context.database.write() as session:
        story: list[Event] = [("report", {"verdict": report.verdict, "reason": report.reason})]
        results: dict[str, Any] = {"report": report.model_dump(mode="json")}
        if packaged:
            model = models.add(session, job.project, job.name, job.id, **packaged)
            results["model_id"] = model.id
            if deploy and (deploy.when != "beats_baseline" or proven):
                deployments.point(session, job.project, deploy.name, model.id)
                results["deployment"] = deploy.name
                story.append(("deployment", {"name": deploy.name, "model": model.id}))
        work.finish_job(session, job, story, **results)


def _read(context: WorkerContext, job: JobRow, signal: Callable[[], Signal | None]) -> EndedJob:
    with context.database.read() as session:
        target = session.get_one(DatasetRow, job.target_id)
        spec = ResolvedSpec.model_validate(job.spec)
        schema = spec.seen(Schema.model_validate(target.schema))
        trials = repository.trials(session, job.id)
        evidence = present_evidence(session, job, schema, trials, lambda trial: trial.predictions)
    schema = schema.named(spec.classes or schema.classes)
    return EndedJob(job, spec, schema, target, trials, evidence, signal)


def _packaged(
    context: WorkerContext, ended: EndedJob, report: Report, folder: Path
) -> dict[str, Any] | None:
    """The winner as files in the store; the baseline itself where the transfer did harm; what is
    best of all where the job asks for that."""
    arm = served_arm(report, ended.spec)
    if arm in ended.spec.references:
        return _reference(context, ended, str(arm), folder)
    return _network(context, ended, report, arm, folder)


def _reference(
    context: WorkerContext, ended: EndedJob, arm: str, folder: Path
) -> dict[str, Any] | None:
    name, own = ended.spec.evaluation.primary_metric, ended.spec.target.budget
    able = [t for t in ended.trials if (t.arm, t.labels_per_class) == (arm, own) and t.predictions]
    best = _best(able, name, ended.spec.metric)
    if best is None:
        return None
    with context.database.read() as session:
        data = TrialData.of(session, session.get_one(TrialRow, best.id))
    made = packaged_reference(context.storage, data, _sample(context.storage, ended), folder)
    outputs = ended.arrays(context.storage, best).get("logits_test")
    made["card"] |= card_of_answers(ended.schema.task, outputs)
    return made


def _network(
    context: WorkerContext, ended: EndedJob, report: Report, arm: str | None, folder: Path
) -> dict[str, Any] | None:
    """`arm`: the winner, of which the report names the trial, or the baseline."""
    storage = context.storage
    name, own = ended.spec.evaluation.primary_metric, ended.spec.target.budget
    of_arm = [
        t
        for t in ended.trials
        if (t.arm, t.labels_per_class) == (arm, own) and t.role != "search" and t.weights
    ]
    able = [t for t in of_arm if arm != report.winner or t.seed == report.winner_seed]
    winner = _best(able, name, ended.spec.metric)
    if winner is None or winner.weights is None:
        return None
    ensemble = report.ensemble if report.ensemble and report.ensemble.arm == arm else None
    served = served_network(context, ended, winner, of_arm, ensemble, folder)
    calibration = served.calibration
    sample = _sample(storage, ended)
    inputs = ended.raw_inputs.of_model(sample)
    signature = Signature(
        inputs=inputs, task=ended.schema.task, temperature=calibration.temperature
    )
    encoder = encoder_store.of_job(context, ended.spec.inputs)
    encoding = served_encoder(context, ended.job, ended.spec, encoder, folder) if encoder else None
    frozen = encoding.frozen if encoding else None
    if frozen:
        signature.encoder = frozen.encoder.facts.identity
    packaged = package(served.raw_model, sample, folder, signature, frozen, served.members)
    cost = packaged.cost
    if served.beside:  # to be measured
        mean = averaged_model(served.beside, objective_of(ended.schema.task))
        apart = folder / "mean"
        apart.mkdir()
        cost = package(mean, sample, apart, signature, frozen, served.beside).cost
    files = {
        name: storage.put(path)
        for name, path in (
            ("onnx", packaged.onnx),
            ("keras", packaged.keras),
            ("golden", packaged.golden),
        )
    } | {"weights": served.weights}
    if encoding:
        files["tokenizer"] = storage.put(encoding.tokenizer)
    return {
        "trial_id": winner.id,
        "files": files,
        "signature": signature,
        "cost": cost,
        "distilled": served.distilled,
        "card": {
            "arm": winner.arm,
            "seed": winner.seed,
            "labels_per_class": winner.labels_per_class,
            "sources": ended.job.source_ids,
            "target": ended.job.target_id,
            "target_content_hash": ended.target.content_hash,
            "network": ended.spec.model.model_dump(mode="json"),
            **({"inputs": ended.whole_inputs.model_dump(mode="json")} if ended.part else {}),
            "verdict": report.verdict,
            "reason": report.reason,
            "test": winner.test,
            "validation": winner.validation,
            "calibration": calibration.model_dump(mode="json"),
            "packaging_difference": packaged.max_difference,
        }
        | card_of_answers(ended.schema.task, served.outputs, calibration.temperature)
        | ({"vocabulary": encoding.told} if encoding and encoding.told else {})
        | served.card,
    }


def _best(trials: list[TrialRow], name: str, metric: Metric) -> TrialRow | None:
    """The best by validation, the first of equals; those without a value last."""
    worst = -float("inf")

    def merit(trial: TrialRow) -> float:
        value = (trial.validation or {}).get(name)
        return worst if value is None else metric.sign * value

    return max(trials, key=merit, default=None)


def _sample(storage: Storage, ended: EndedJob) -> Tensors:
    """Raw items of the training split, the same at every try."""
    train = dataset_split(storage, ended.target, "train", ended.raw_adoption)
    count = min(GOLDEN_ITEMS, len(train))
    rows = np.random.default_rng(0).choice(len(train), count, replace=False)
    items = train.items.select(np.sort(rows)).read()
    return ended.part.of(items) if ended.part else items
