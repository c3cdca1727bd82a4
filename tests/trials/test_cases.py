"""Public bug reports, as files beside the checkout: what a job makes of each."""

from pathlib import Path
from typing import Any

import pytest

from app.datasets.schemas import DatasetSpec
from app.identifiers import new_id
from app.spec.report import Report
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow
from tests.intake.test_cases import CASES, LIMITS
from tests.trials.jobs import report_of, run, submit
from worker.intake.ingestion import ingest_upload
from worker.intake.raw import RawFile
from worker.machine.context import WorkerContext

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),  # it is about training
]


def add(context: WorkerContext, folder: Path, name: str) -> str:
    inside = folder / name
    inside.mkdir()
    file = RawFile(f"{name}.npz", CASES / f"case_{name}.npz")
    taken = ingest_upload([file], DatasetSpec(name=name), LIMITS, inside)
    row = DatasetRow(
        id=new_id("ds"),
        project="p",
        name=name,
        origin="upload",
        spec={},
        status="ready",
        arrays={key: context.storage.put(path) for key, path in taken.arrays.items()},
        schema=taken.schema.model_dump(mode="json"),
        profile=taken.profile,
        content_hash=taken.content_hash,
    )
    with context.database.write() as session:
        session.add(row)
    return row.id


def job(
    context: WorkerContext, folder: Path, source: str, target: str, strategy: str, **changes: Any
) -> tuple[JobRow, Report]:
    """As the cases' README asks for it: convnet, 10 epochs after 3, 2 seeds."""
    network = {"backbone": "convnet"}
    training = {"epochs": 10, "pretrain_epochs": 3, "augmentation": None}
    ids = [add(context, folder, name) for name in (source, target)]
    fields = {"model": network, "training": training, "strategies": [strategy], **changes}
    ended, trials = run(context, submit(context, [{"dataset": ids[0]}], ids[1], **fields))
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    return ended, report_of(ended)


def accuracy(report: Report, arm: str) -> float:
    return report.arms[arm].metrics["accuracy"].mean


def test_two_halves_of_one_process_are_no_transfer(context: WorkerContext, tmp_path: Path) -> None:
    """Case 04, upright: statistics that were stale made of `adabn` a gain of .89."""
    deploy = {"name": "halves", "when": "beats_baseline"}
    ended, report = job(
        context,
        tmp_path,
        "04_source",
        "04_target_upright",
        "adabn",
        target_use_labels=False,
        deploy=deploy,
    )
    assert accuracy(report, "source_only") >= 0.95
    assert accuracy(report, "adabn") == pytest.approx(accuracy(report, "source_only"), abs=0.02)
    assert (report.verdict, ended.deployment) == ("no_evidence", None)


def test_transposed_pictures_are_deployed_by_nobody(context: WorkerContext, tmp_path: Path) -> None:
    deploy = {"name": "transposed", "when": "beats_baseline"}
    ended, report = job(
        context,
        tmp_path,
        "04_source",
        "04_target_transposed",
        "mcc",
        target_use_labels=False,
        deploy=deploy,
    )
    assert "far below target_supervised" in report.reason
    assert ended.deployment is None


def test_integers_and_their_texts_are_one_class(context: WorkerContext, tmp_path: Path) -> None:
    """Case 05."""
    _, report = job(
        context,
        tmp_path,
        "05_source_integers",
        "05_target_strings",
        "shot",
        target_use_labels=False,
    )
    assert accuracy(report, "source_only") >= 0.95


def test_labels_that_are_one_off_are_below_chance(context: WorkerContext, tmp_path: Path) -> None:
    """Case 02, third part."""
    _, report = job(
        context,
        tmp_path,
        "02_source_0_to_9",
        "02_target_test_1_to_9",
        "adabn",
        target_use_labels=False,
    )
    assert accuracy(report, "adabn") == 0
    assert report.reason.startswith("adabn and source_only are below chance")
    assert "by 0.0000" not in report.reason


def test_always_the_majority_is_told(context: WorkerContext, tmp_path: Path) -> None:
    """Case 12."""
    _, report = job(context, tmp_path, "12_source", "12_majority_target", "fine_tune")
    assert report.reference is not None
    assert report.reference.majority_class == "healthy"
    assert report.reference.majority["accuracy"] == pytest.approx(0.95)
    assert "balanced accuracy" in report.reason
    assert report.verdict == "no_evidence"


def test_the_same_pictures_are_seen_alike_in_inference(
    context: WorkerContext, tmp_path: Path
) -> None:
    """Case 19: the test set is the training set."""
    _, report = job(context, tmp_path, "19_bright_source", "19_dark_target", "fine_tune")
    for arm in ("scratch", "fine_tune"):
        assert accuracy(report, arm) >= 0.95
    assert report.reason.startswith("180 of 180 test items stand in the training split too")
    assert report.verdict == "no_evidence"
