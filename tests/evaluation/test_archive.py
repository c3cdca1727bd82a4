"""A report made anew from the archive that the service answers."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.jobs.schemas import EvidenceDataset, EvidenceTrial
from tests.evaluation.made_up import (
    BETTER,
    CLASSES,
    COUNTS,
    SCRATCH,
    TASK,
    Y_VALIDATION,
    arm,
    failed,
    logits,
    spec,
)
from worker.evaluation.__main__ import main
from worker.evaluation.archive import BadArchive, first_difference, recompute
from worker.evaluation.predictions import ARRAYS
from worker.evaluation.report import TrialResult, build_report

Y_TRAIN = np.arange(40) % 4
TORN = {
    "y_train": Y_TRAIN,
    "logits_train": np.zeros((40, 4)),
    "logits_train_mode": np.eye(4)[Y_TRAIN],
}
PRETRAINED = {
    **TORN,
    "y_validation": Y_VALIDATION,
    "logits_validation": logits(Y_VALIDATION, 0.24, 0),
}
TRIALS = [
    TrialResult("pretrain", "pretrain", 0, None, 7.25, id="trial_p", epochs=3, **PRETRAINED),
    *SCRATCH,
    *arm(
        "fine_tune",
        BETTER[:4],
        depends_on="trial_p",
        epochs=2,
        first_epoch={"accuracy": 0.5},
        steps=60,
        head_steps=7,
    ),
    failed("fine_tune", 4),
]
KNOWN = EvidenceDataset(
    role="target", id="ds_t", name="letters", test_in_training=4, warnings=["4 are known."]
)
REPORT = build_report(spec(), TRIALS, TASK, COUNTS, datasets=[KNOWN]).model_dump(mode="json")


def archive(folder: Path, report: dict[str, Any] | None, **changes: Any) -> Path:
    path = folder / "evidence.zip"
    with zipfile.ZipFile(path, "w") as out:
        entries = []
        for number, trial in enumerate(TRIALS):
            has_arrays = any(getattr(trial, array) is not None for array in ARRAYS)
            name = f"predictions/{number}.npz" if has_arrays else None
            if name:
                content = io.BytesIO()
                found = {array: getattr(trial, array) for array in ARRAYS}
                np.savez(content, **{name: a for name, a in found.items() if a is not None})
                out.writestr(name, content.getvalue())
            fields = EvidenceTrial.model_fields.keys() - {"epochs", "predictions"}
            entry = {field: getattr(trial, field) for field in fields}
            entries.append(entry | {"epochs": trial.epochs or 0, "predictions": name})
        job = {
            "spec": spec().model_dump(mode="json"),
            "selection": [],
            "classes": CLASSES,
            "class_counts": COUNTS,
            "datasets": [KNOWN.model_dump()],
            "report": report,
            "trials": entries,
        }
        out.writestr("job.json", json.dumps(job | changes))
    return path


@pytest.fixture
def stored() -> dict[str, Any]:
    """As the service stores it: `epochs` is 0 where none was counted."""
    report: dict[str, Any] = json.loads(json.dumps(REPORT))
    report["arms"]["scratch"]["cost"]["epochs"] = 0.0
    return report


def run(path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["worker.evaluation", str(path)])
    return main()


def test_the_same_report_comes_out(
    tmp_path: Path,
    stored: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(archive(tmp_path, stored), monkeypatch) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == stored
    assert printed.err == ""
    assert stored["arms"]["fine_tune"]["cost"]["pretraining"] == 7.25
    assert stored["arms"]["fine_tune"]["cost"]["steps"] == 60
    assert [said for said in stored["warnings"] if "pretrain" in said]
    assert "target letters: 4 are known" in stored["warnings"]


def test_an_archive_of_an_older_release_is_read(tmp_path: Path) -> None:
    """Without datasets and steps, and without what stands of items trained on."""
    path = archive(tmp_path, None)
    older = tmp_path / "older.zip"
    with zipfile.ZipFile(path) as new, zipfile.ZipFile(older, "w") as out:
        job = json.loads(new.read("job.json"))
        del job["datasets"]
        for trial in job["trials"]:
            del trial["steps"], trial["head_steps"]
            if trial["role"] == "pretrain":
                trial["predictions"] = None
        out.writestr("job.json", json.dumps(job))
        for name in new.namelist():
            if name != "job.json":
                out.writestr(name, new.read(name))
    report, _ = recompute(older)
    assert report.verdict == "positive_transfer"
    assert report.arms["fine_tune"].cost.steps is None
    assert [said for said in report.warnings if "letters" in said or "pretrain" in said] == []


def test_what_a_pretraining_got_right_and_its_sources_name_are_read(tmp_path: Path) -> None:
    report, _ = recompute(archive(tmp_path, None, source_names=["mnist"]))
    assert any(each.startswith("mnist: its labels look like noise") for each in report.warnings)
    unnamed, _ = recompute(archive(tmp_path, None))
    assert any(each.startswith("ds_source: its labels") for each in unnamed.warnings)


def test_a_stored_report_that_differs(
    tmp_path: Path,
    stored: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stored["arms"]["fine_tune"]["gain"]["mean"] += 0.01
    assert run(archive(tmp_path, stored), monkeypatch) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["verdict"] == "positive_transfer"
    assert printed.err.startswith("the stored report differs: #/arms/fine_tune/gain/mean: stored ")


def test_sentences_are_their_releases(
    tmp_path: Path,
    stored: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What a release warns of, and how it says a verdict, is no figure; that it differs is said."""
    stored["warnings"] = [*stored["warnings"], "a warning of another release"]
    assert run(archive(tmp_path, stored), monkeypatch) == 0
    assert capsys.readouterr().err.startswith("the stored report says the same in other words")
    stored["verdict"] = "no_evidence"
    assert run(archive(tmp_path, stored), monkeypatch) == 1


def test_without_a_stored_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(archive(tmp_path, None), monkeypatch) == 0
    assert "no stored report" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": None}, "job.json: classes"),
        ({"spec": {"target": {}}}, "job.json: "),
        ({"class_counts": [1]}, "expected an archive of predictions"),
    ],
)
def test_archives_that_are_wrong(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadArchive, match=message):
        recompute(archive(tmp_path, None, **changes))


def test_files_that_are_no_archives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "evidence.zip"
    assert run(path, monkeypatch) == 2
    path.write_bytes(b"no zip")
    assert run(path, monkeypatch) == 2
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("other.json", "{}")
    assert run(path, monkeypatch) == 2
    assert capsys.readouterr().err.count("expected an archive of predictions") == 3


def test_where_two_reports_differ() -> None:
    one = {"a": [1.0, {"b": "x"}], "c": None}
    assert first_difference(one, {"a": [1.0 + 1e-12, {"b": "x"}], "c": None}) is None
    assert first_difference(one, {"a": [1.0, {"b": "y"}], "c": None}) == (
        "#/a/1/b: stored x, recomputed y"
    )
    assert first_difference(one, {"a": [1.0]}) == "#/c: only in the stored report"
    assert first_difference({"a": [1]}, {"a": [1, 2]}) == "#/a: stored [1], recomputed [1, 2]"
