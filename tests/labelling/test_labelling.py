"""Which labels next over HTTP, with a worker's steps between: what is chosen, refused, lost."""

from typing import Any

import httpx
import numpy as np
import pytest

from app import leases
from app.database import Database
from app.errors import Fenced
from app.jobs import recovery, work
from app.messages import RankUnlabelled
from app.settings import Settings
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.models import ModelRow
from app.tables.next_labels import NextLabelsRow
from app.usage import repository as usage
from tests.labelling.conftest import LABELLED, UNLABELLED, Add, ask, job_row
from tests.leases import let_pass
from worker.machine.context import WorkerContext
from worker.process import runner

pytestmark = pytest.mark.usefixtures("few_draws")
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def ranking_of(database: Database, job_id: str) -> NextLabelsRow:
    with database.read() as session:
        (row,) = (r for r in session.query(NextLabelsRow) if r.job_id == job_id)
        return row


def answered(
    client: httpx.Client, context: WorkerContext, job_id: str, **body: Any
) -> dict[str, Any]:
    """What stands there after a worker has ranked."""
    begun = ask(client, job_id, **body)
    assert begun.status_code == 202, begun.text
    runner.rank_unlabelled(context, ranking_of(context.database, job_id).id, "worker")
    found: dict[str, Any] = client.get(begun.headers["location"]).json()
    return found


def unlabelled(context: WorkerContext, dataset_id: str, split: str = "train") -> set[int]:
    with context.database.read() as session:
        ref = session.get_one(DatasetRow, dataset_id).arrays[f"y_{split}"]
    return set(np.flatnonzero(np.load(context.storage.local(ref)) < 0).tolist())


def test_items_are_ranked_and_the_order_is_simulated(
    client: httpx.Client, context: WorkerContext, database: Database, add: Add, ended: Add
) -> None:
    target = add(2)
    job_id = ended(add(1, unlabelled=0), target)
    path = f"/v1/jobs/{job_id}/next_labels"
    assert client.get(path).json()["code"] == "not_ranked"
    begun = ask(client, job_id, items=10)
    assert (begun.status_code, begun.headers["location"]) == (202, path)
    assert (begun.json()["status"], begun.json()["data"]) == ("queued", [])
    row = ranking_of(database, job_id)
    with database.read() as session:
        assert work.waiting(session, 9) == [RankUnlabelled(row.id)]

    runner.rank_unlabelled(context, row.id, "worker")
    found = client.get(path).json()
    assert (found["status"], found["error"]) == ("succeeded", None)
    assert (found["dataset"], found["candidates"]) == (target, UNLABELLED)
    chosen = [each["index"] for each in found["data"]]
    assert len(set(chosen)) == 10
    assert set(chosen) <= unlabelled(context, target)
    assert {each["split"] for each in found["data"]} == {"train"}
    assert {each["guess"]["label"] for each in found["data"]} <= {"a", "b", "c"}
    assert 0 < sum(each["score"] for each in found["data"]) <= 1
    worth = found["worth"]
    assert (worth["metric"], worth["items"], worth["features"]) == ("accuracy", LABELLED, "start")
    steps = len(worth["labels"])
    for order in ("ordered", "random"):
        curve = worth[order]
        assert len(curve["mean"]) == len(curve["low"]) == len(curve["high"]) == steps
        assert all(low <= m for low, m in zip(curve["low"], curve["mean"], strict=True))
    assert worth["ordered"]["mean"][0] == worth["random"]["mean"][0]  # the same first items
    assert worth["ordered"]["mean"][-1] > 0.5  # of three classes
    assert worth["low"] <= worth["gain"] <= worth["high"]
    assert str(LABELLED) in found["sentence"]

    assert ask(client, job_id, items=10).json()["status"] == "succeeded"  # and not begun again
    again = answered(client, context, job_id, items=4)  # another question
    assert (again["items"], len(again["data"])) == (4, 4)


@SQLITE
def test_labels_beyond_the_budget_are_candidates_whose_labels_nobody_reads(
    client: httpx.Client, context: WorkerContext, add: Add, ended: Add
) -> None:
    """20 items of each class, 15 labels of each: 15 others beside the 24 without a label."""
    target = add(2)
    found = answered(client, context, ended(add(1), target, labels_per_class=15), items=1000)
    assert found["candidates"] == len(found["data"]) == UNLABELLED + 15
    assert {each["index"] for each in found["data"]} > unlabelled(context, target)
    assert found["worth"]["items"] == 45


@SQLITE
def test_of_another_dataset_its_test_items_too_where_none_has_a_label(
    client: httpx.Client, context: WorkerContext, add: Add, ended: Add
) -> None:
    job_id, other = ended(add(1), add(2, unlabelled=0)), add(3, 0, 30, tested=False)
    found = answered(client, context, job_id, items=100, **{"from": other})
    assert (found["dataset"], found["candidates"]) == (other, 42)
    places = {(each["split"], each["index"]) for each in found["data"]}
    assert places == {*(("train", k) for k in range(30)), *(("test", k) for k in range(12))}
    partly = add(4, 30, 6)
    found = answered(client, context, job_id, items=100, **{"from": partly})
    assert {each["index"] for each in found["data"]} == unlabelled(context, partly)
    assert {each["split"] for each in found["data"]} == {"train"}


@SQLITE
@pytest.mark.parametrize(
    ("kind", "guessed"), [("regression", ["value"]), ("multi_label", ["labels", "probability"])]
)
def test_other_tasks(
    client: httpx.Client,
    context: WorkerContext,
    add: Add,
    ended: Add,
    kind: str,
    guessed: list[str],
) -> None:
    job_id = ended(add(1, unlabelled=0, kind=kind), add(2, kind=kind))
    found = answered(client, context, job_id, items=7)
    assert (found["status"], len(found["data"])) == ("succeeded", 7), found["error"]
    for each in found["data"]:
        assert [name for name, value in each["guess"].items() if value is not None] == guessed
    assert found["worth"]["low"] <= found["worth"]["gain"] <= found["worth"]["high"]


@SQLITE
def test_what_the_order_is_worth_is_not_told_where_labels_are_hidden_or_few(
    client: httpx.Client, context: WorkerContext, add: Add, ended: Add
) -> None:
    without = ended(add(1, unlabelled=0), add(2), "adabn", use_labels=False)
    hidden = answered(client, context, without)
    assert hidden["worth"] is None
    assert "hides" in hidden["sentence"]
    assert hidden["candidates"] == LABELLED + UNLABELLED
    few = answered(client, context, ended(add(1, unlabelled=0), add(2), labels_per_class=4))
    assert few["worth"] is None
    assert "40 labelled items" in few["sentence"]
    assert "there are 12" in few["sentence"]


@SQLITE
def test_what_cannot_be_asked_is_refused(
    client: httpx.Client, context: WorkerContext, database: Database, add: Add, ended: Add
) -> None:
    source, whole = add(1, unlabelled=0), add(2, unlabelled=0)
    job_id = ended(source, whole)

    def refusal(job: str = job_id, **body: Any) -> tuple[int, str, str | None]:
        answer = ask(client, job, **body)
        problem = answer.json()
        return answer.status_code, problem["code"], problem["errors"][0].get("pointer")

    nothing_left = (422, "no_unlabelled_items", "#/from")
    assert refusal() == nothing_left
    assert refusal(**{"from": source}) == nothing_left
    colours = add(5, 0, 9, channels=3)
    assert refusal(**{"from": colours}) == (422, "shape_mismatch", "#/from")
    assert refusal(items=0)[2] == "#/items"
    for named in ("ds_0", "mdl_1", "nobody's"):
        assert ask(client, job_id, **{"from": named}).json()["code"] == "dataset_not_found"
    assert ask(client, "job_0").json()["code"] == "job_not_found"

    partly = ended(source, add(3))
    model_id = job_row(database, partly).model_id

    def problem_when(**changes: Any) -> tuple[int, str]:
        with database.write() as session:
            model = session.get_one(ModelRow, model_id)
            for name, value in changes.items():
                setattr(model, name, value)
        answer = ask(client, partly)
        return answer.status_code, answer.json()["code"]

    with database.read() as session:
        files = session.get_one(ModelRow, model_id).files
    without = {name: ref for name, ref in files.items() if name != "weights"}
    assert problem_when(files=without, card={"arm": "random_forest"}) == (422, "needs_network")
    damage = {"code": "artifact_damaged", "message": "the file `weights` is damaged"}
    assert problem_when(files=files, error=damage) == (409, "artifact_damaged")
    assert client.delete(f"/v1/models/{model_id}").status_code == 204
    assert ask(client, partly).json()["code"] == "model_deleted"
    with database.write() as session:
        job = session.merge(job_row(database, partly))
        job.model_id = None
    assert ask(client, partly).json()["code"] == "no_model"
    with database.write() as session:
        job = session.merge(job_row(database, partly))
        job.status = "running"
    assert ask(client, partly).json()["code"] == "job_not_ended"


@SQLITE
def test_anothers_job_and_dataset_are_not_there(
    client: httpx.Client, context: WorkerContext, database: Database, add: Add, ended: Add
) -> None:
    other, job_id = add(3, 0, 9), ended(add(1), add(2))
    with database.write() as session:
        session.get_one(DatasetRow, other).project = "other"
    assert ask(client, job_id, **{"from": other}).json()["code"] == "dataset_not_found"
    with database.write() as session:
        session.merge(job_row(database, job_id)).project = "other"
    for answer in (ask(client, job_id), client.get(f"/v1/jobs/{job_id}/next_labels")):
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


def test_a_lost_worker_costs_an_attempt_and_another_question_takes_the_work_away(
    client: httpx.Client,
    context: WorkerContext,
    database: Database,
    settings: Settings,
    add: Add,
    ended: Add,
) -> None:
    job_id = ended(add(1), add(2))
    path = f"/v1/jobs/{job_id}/next_labels"
    ask(client, job_id)

    def take() -> NextLabelsRow:
        mine, order = NextLabelsRow.status == "queued", [NextLabelsRow.id]
        with database.write() as session:
            taken = leases.claim(session, NextLabelsRow, mine, order, "w", 30, status="running")
        assert taken is not None
        return taken

    for attempt in range(1, settings.max_attempts + 1):
        assert take().attempt == attempt
        let_pass(database, 31)
        recovery.recover(database, settings)
    found = client.get(path).json()
    assert (found["status"], found["error"]["code"]) == ("failed", "worker_lost")
    assert found["error"]["stage"] == "next_labels"
    assert ask(client, job_id).json()["status"] == "queued"  # anew

    slow = take()
    assert ask(client, job_id, items=3).json()["status"] == "queued"
    with pytest.raises(Fenced), database.write() as session:
        leases.write(session, NextLabelsRow, slow.id, slow.token or "", status="succeeded")
    runner.rank_unlabelled(context, slow.id, "another")
    assert len(client.get(path).json()["data"]) == 3


@SQLITE
def test_a_damaged_file_is_told_and_rankings_go_with_what_they_are_of(
    client: httpx.Client,
    context: WorkerContext,
    database: Database,
    storage: Storage,
    add: Add,
    ended: Add,
) -> None:
    job_id, other = ended(add(1), add(2)), add(3, 0, 9, tested=False)
    ask(client, job_id, **{"from": other})
    with database.read() as session:
        ref = session.get_one(DatasetRow, other).arrays["x_train"]
    storage.local(ref).unlink()
    runner.rank_unlabelled(context, ranking_of(database, job_id).id, "worker")
    found = client.get(f"/v1/jobs/{job_id}/next_labels").json()
    assert (found["status"], found["error"]["code"]) == ("failed", "artifact_missing")
    assert client.delete(f"/v1/datasets/{other}").status_code == 204
    with database.write() as session:
        usage._purge_datasets(session)
        assert session.query(NextLabelsRow).count() == 0
    ask(client, job_id)
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    with database.read() as session:
        assert session.query(NextLabelsRow).count() == 0


@SQLITE
def test_what_is_deleted_after_it_was_asked_fails_it(
    client: httpx.Client, context: WorkerContext, database: Database, add: Add, ended: Add
) -> None:
    job_id = ended(add(1), add(2))
    ask(client, job_id)
    assert client.delete(f"/v1/models/{job_row(database, job_id).model_id}").status_code == 204
    runner.rank_unlabelled(context, ranking_of(database, job_id).id, "worker")
    error = client.get(f"/v1/jobs/{job_id}/next_labels").json()["error"]
    assert (error["code"], error["stage"]) == ("dependency_failed", "next_labels")
