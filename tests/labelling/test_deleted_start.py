"""A ranking of a job whose source is a model that was deleted since."""

import httpx
import pytest

from app.access.authentication import DEFAULT_PROJECT
from app.database import Database
from app.models import repository as models
from app.models.schemas import Signature
from app.tables.jobs import JobRow
from app.tables.models import ModelRow
from app.usage import repository as usage
from tests.labelling.conftest import Add
from tests.labelling.test_labelling import answered
from worker.machine.context import WorkerContext


@pytest.mark.usefixtures("few_draws")
def test_the_winners_own_features_take_the_place_of_those_it_started_from(
    client: httpx.Client, context: WorkerContext, database: Database, add: Add, ended: Add
) -> None:
    job_id = ended(add(1), add(2))
    with database.write() as session:
        job = session.get_one(JobRow, job_id)
        own = session.get_one(ModelRow, job.model_id)
        signature = Signature.model_validate(own.signature)
        start = models.add(session, DEFAULT_PROJECT, "s", None, None, {**own.files}, signature, {})
        source = {**job.spec["sources"][0], "dataset": None, "model": start.id}
        job.spec, job.source_ids = {**job.spec, "sources": [source]}, [start.id]
    assert answered(client, context, job_id, items=4)["worth"]["features"] == "start"
    assert client.delete(f"/v1/models/{start.id}").status_code == 204
    with database.write() as session:
        usage.purge(session)
    found = answered(client, context, job_id, items=5)
    assert (found["error"], found["worth"]["features"], len(found["data"])) == (None, "winner", 5)
