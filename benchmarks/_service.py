"""The service of one process: its API over HTTP, and a worker's steps when something waits.
Shared data in KTL_TEST_DATA or ../shared/data."""

import csv
import gzip
import io
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.database import Database
from app.main import create_app
from app.migrate import upgrade
from app.settings import Settings
from app.spec.report import Report
from app.storage import Storage
from tests.serving import serve
from worker.machine.context import WorkerContext
from worker.process import runner

DATA = Path(os.environ.get("KTL_TEST_DATA", "../shared/data"))

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Service:
    """The API, and a worker's steps taken when something waits."""

    client: httpx.Client
    place: WorkerContext

    def upload(self, name: str, rows: Rows, **spec: Any) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
        return self._stored(
            data={"spec": json.dumps({"name": name, **spec})},
            files=[("file", (f"{name}.csv", text.getvalue().encode()))],
        )

    def derive(self, name: str, origin: str, **choice: Any) -> str:
        return self._stored(json={"name": name, "from": origin, **choice})

    def _stored(self, **body: Any) -> str:
        answer = self.client.post("/v1/datasets", **body)
        if answer.status_code != 202:
            raise SystemExit(answer.text)
        dataset = str(answer.json()["id"])
        runner.ingest(self.place, dataset, "benchmark")
        told = self.client.get(f"/v1/datasets/{dataset}").json()
        if told["status"] != "ready":
            raise SystemExit(f"{told['name']}: {told['error']}")
        return dataset

    def report(self, **spec: Any) -> Report:
        answer = self.client.post("/v1/jobs", json=spec)
        if answer.status_code != 202:
            raise SystemExit(answer.text)
        job = answer.json()["id"]
        runner.train(self.place, "benchmark")
        runner.finalise(self.place, job, "benchmark")
        answer = self.client.get(f"/v1/jobs/{job}/report")
        if answer.status_code != 200:
            raise SystemExit(f"{self.client.get(f'/v1/jobs/{job}').text}\n{answer.text}")
        return Report.model_validate(answer.json())


@contextmanager
def service() -> Iterator[Service]:
    with tempfile.TemporaryDirectory(prefix="ktl-") as temporary:
        folder = Path(temporary)
        url = f"sqlite:///{folder / 'ktl.db'}"
        settings = Settings(data_dir=folder / "ktl", database_url=url, broker_url="memory://")
        upgrade(url)
        (folder / "slots").mkdir()
        store = Storage(settings.storage, settings.cache_dir)
        place = WorkerContext(settings, Database(url), store, folder / "slots", lambda: False)
        with serve(create_app(settings)) as client:
            yield Service(client, place)


def read(file: str) -> Rows:
    with gzip.open(DATA / file, "rt") as text:
        return list(csv.DictReader(text))
