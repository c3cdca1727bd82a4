"""The archive of predictions, as clients get it."""

import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import httpx
import numpy as np
import pytest

from app.database import Database
from app.datasets import repository as datasets
from app.errors import DamagedArtifact, FailureCode, WorkFailure
from app.jobs import work
from app.jobs.archive import PIECE_BYTES, stream_zip
from app.jobs.epoch_repository import first_validations
from app.jobs.evidence_datasets import evidence_datasets
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.jobs import EpochRow, JobRow, TrialRow
from tests.jobs.factories import SCHEMA, add_dataset, add_job, must_claim
from tests.jobs.requests import LOCAL, problem, spec, submit


def stored(storage: Storage, path: Path, **arrays: object) -> str:
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's overloads want to know the names
    return storage.put(path)


def epoch(
    trial: TrialRow,
    number: int,
    split: str,
    phase_index: int,
    loss: float,
    phases: tuple[str, ...] = ("head", "finetune"),
) -> EpochRow:
    phase = phases[phase_index]
    return EpochRow(
        trial_id=trial.id,
        phase=phase,
        phase_index=phase_index,
        epoch=number,
        split=split,
        values={"loss": loss},
    )


def test_all_that_the_report_is_made_from(
    client: httpx.Client, database: Database, storage: Storage, tmp_path: Path
) -> None:
    job_id = submit(
        client, spec(add_dataset(database, project=LOCAL), add_dataset(database, project=LOCAL))
    )
    logits = np.arange(8, dtype=np.float32).reshape(4, 2)
    pretrain, scratch = must_claim(database), must_claim(database)
    ref = stored(storage, tmp_path / "p.npz", y_test=np.arange(4), logits_test=logits)
    rows = [
        epoch(scratch, number, split, index, loss)
        for loss, (index, number) in enumerate([(0, 1), (0, 2), (1, 1)])
        for split in ("train", "validation")
    ]
    with database.write() as session:
        work.finish_trial(session, pretrain, seconds=2.5)
        work.finish_trial(session, scratch, rows, seconds=1.5, predictions=ref)
        failure = WorkFailure(FailureCode.DIVERGED, "nan at epoch 1", stage="finetune")
        transfer = work.claim_trial(session, "w", 60, max_attempts=5)
        assert transfer
        work.fail_trial(session, transfer, failure, seconds=0.5)

    path = f"/v1/jobs/{job_id}/predictions"
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="{job_id}.zip"'
    assert client.get(path).content == answer.content
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        entry = f"predictions/{scratch.id}.npz"
        assert archive.namelist() == ["job.json", entry]
        assert {info.compress_type for info in archive.infolist()} == {ZIP_STORED}
        found = json.loads(archive.read("job.json"))
        with np.load(io.BytesIO(archive.read(entry))) as arrays:
            assert np.array_equal(arrays["logits_test"], logits)
    assert found["spec"]["strategies"][0]["name"] == "fine_tune"
    assert (found["classes"], found["class_counts"]) == (list(SCHEMA.classes), [20, 20])
    assert (found["report"], found["selection"]) == (None, [])
    first, second, third = found["trials"]
    assert (first["id"], first["role"], first["seconds"]) == (pretrain.id, "pretrain", 2.5)
    assert (first["epochs"], first["first_epoch"], first["predictions"]) == (0, None, None)
    assert (second["epochs"], second["first_epoch"]) == (3, {"loss": 0})
    # 20 + 20 items, 2 of each held out: an epoch of 36 in a batch of 128 is a step
    assert (second["steps"], second["head_steps"]) == (1, 2)
    assert (first["steps"], first["head_steps"]) == (None, None)
    assert (second["predictions"], second["error"]) == (entry, None)
    assert (third["depends_on"], third["error"]["code"]) == (pretrain.id, "diverged")
    assert third["seconds"] == 0.5
    assert [(each["role"], each["name"]) for each in found["datasets"]] == [
        ("target", "letters"),
        ("source", "letters"),
    ]
    assert all(each["warnings"] == [] for each in found["datasets"])  # no profile was stored


def test_a_phase_on_the_source_alone_tells_no_first_epoch_of_the_target(
    client: httpx.Client, database: Database
) -> None:
    """As `contrastive` begins: its head has not met a label before the second phase."""
    job_id = submit(
        client, spec(add_dataset(database, project=LOCAL), add_dataset(database, project=LOCAL))
    )
    pretrain, scratch = must_claim(database), must_claim(database)
    phases = ("pretrain", "finetune")
    rows = [
        epoch(scratch, number, "validation", index, loss, phases)
        for loss, (index, number) in enumerate([(0, 1), (0, 2), (1, 1), (1, 2)])
    ]
    with database.write() as session:
        work.finish_trial(session, pretrain)
        work.finish_trial(session, scratch, rows)
    with database.read() as session:
        assert first_validations(session, job_id) == {scratch.id: {"loss": 2}}


@pytest.mark.parametrize(
    ("profile", "known"),
    [
        ({}, (0, 0)),
        ({"duplicates": {"train": 0, "test": 0, "across_splits": 3}, "warnings": ["3 …"]}, (3, 0)),
        (
            {
                "duplicates": {
                    "across_splits": 3,
                    "contradicting": {"within": {"train": 4, "test": 0}, "across_splits": 1},
                },
                "warnings": ["3 …"],
            },
            (3, 1),
        ),
    ],
)
def test_what_the_intake_found_goes_with_the_evidence(
    database: Database, profile: dict[str, Any], known: tuple[int, int]
) -> None:
    source, target = add_dataset(database), add_dataset(database)
    job_id = add_job(database, source, target)
    with database.write() as session:
        session.get_one(DatasetRow, target).profile = profile
    with database.read() as session:
        found = evidence_datasets(session, session.get_one(JobRow, job_id))
    assert [(each.role, each.id) for each in found] == [("target", target), ("source", source)]
    assert (found[0].test_in_training, found[0].test_contradicting) == known
    assert found[0].warnings == profile.get("warnings", [])


def test_a_job_whose_target_is_not_there_yet(client: httpx.Client) -> None:
    body = spec("catalog:mnist_5k", "catalog:digits", model={"image_size": [16, 16]})
    answer = client.get(f"/v1/jobs/{submit(client, body)}/predictions")
    problem(answer, 409, "dataset_not_ready")


def test_an_archive_comes_in_pieces(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(np.random.default_rng(0).bytes(3 * PIECE_BYTES + 5))
    pieces = list(stream_zip(storage, {"a": b"text"}, {"large": storage.put(path)}))
    assert max(map(len, pieces)) < 1.1 * PIECE_BYTES
    with ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.read("a") == b"text"
        assert archive.read("large") == path.read_bytes()


def test_a_file_that_is_missing_ends_the_archive_before_its_directory(storage: Storage) -> None:
    pieces = []
    with pytest.raises(WorkFailure) as caught:
        pieces += stream_zip(storage, {"a": b"text"}, {"lost": "sha256/ab/abc.npz"})
    assert caught.value.code == FailureCode.STORAGE_FAILED


@pytest.mark.parametrize("is_deleted", [False, True])
def test_predictions_outlive_the_files_of_the_target(
    client: httpx.Client, database: Database, storage: Storage, tmp_path: Path, is_deleted: bool
) -> None:
    target = add_dataset(database, project=LOCAL)
    job_id = submit(client, spec(add_dataset(database, project=LOCAL), target))
    with database.write() as session:
        session.get_one(DatasetRow, target).arrays = {"x_train": "sha256/ab/x.npy"}
        trial = work.claim_trial(session, "w", 60, max_attempts=5)
        assert trial
        ref = stored(storage, tmp_path / "p.npz", y_test=np.arange(4))
        work.finish_trial(session, trial, predictions=ref)
    assert client.post(f"/v1/jobs/{job_id}/cancel").status_code == 200
    with database.write() as session:
        lost = DamagedArtifact(FailureCode.ARTIFACT_MISSING, "sha256/ab/x.npy")
        datasets.mark_damaged(session, lost)
    if is_deleted:
        assert client.delete(f"/v1/datasets/{target}").status_code == 204
    answer = client.get(f"/v1/jobs/{job_id}/predictions")
    assert answer.status_code == 200, answer.text
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert len(archive.namelist()) == 2
