"""Makes the archive of an installation of this release: `python -m tests.releases.make NAME`.

Once per release, and before a change to what is stored, from a clean checkout, in a minute. What it
wrote stays as it is: an archive that is made anew is of another release.

The API and a worker's steps run in this process, as in the other tests.
"""

import io
import json
import shutil
import socket
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import httpx
import numpy as np

from app.access import repository as keys
from app.database import Database
from app.main import create_app
from app.migrate import upgrade
from app.settings import Settings
from app.storage import Storage
from app.usage.sweep import sweep
from tests.releases import jobs
from tests.releases.archive import FOLDER, KEYS, ask, pack
from tests.releases.told import everything
from tests.serving import serve
from tests.system.service import images, wait_for
from worker.machine.context import WorkerContext
from worker.process import runner

Json = dict[str, Any]

NEEDED = ("ktl.db", "store")  # of a data folder: all else is made anew
ASKED = 6


def main() -> None:
    [name] = sys.argv[1:]
    with TemporaryDirectory(prefix="ktl-") as scratch:
        folder, packed = Path(scratch), Path(scratch, "packed")
        (packed / "ktl").mkdir(parents=True)
        asked = _arrays(seed=2)["x_test"][:ASKED]
        told = _installation(folder, asked)
        told["revision"] = _tidy(folder / "data" / "ktl.db")
        for needed in NEEDED:
            shutil.move(folder / "data" / needed, packed / "ktl" / needed)
        np.save(packed / "asked.npy", asked)
        (packed / "told.json").write_text(json.dumps(told))
        _require_anonymous(packed, scratch)
        archive = FOLDER / f"{name}.tar.xz"
        pack(packed, archive)
    print(f"{archive.name}: {archive.stat().st_size:,} bytes")


def _installation(folder: Path, asked: Any) -> Json:
    """Makes it in `folder/data`, and returns what its API tells."""
    settings = Settings(data_dir=folder / "data", broker_url="memory://")
    upgrade(settings.database)
    database = Database(settings.database)
    storage = Storage(settings.storage, settings.cache_dir)
    context = WorkerContext(settings, database, storage, folder, is_draining=lambda: False)
    with serve(create_app(settings)) as client:
        datasets = _fill(_Hands(client, context))
    with database.write() as session:  # from now on the API asks for keys
        for project, key in KEYS.items():
            keys.create(session, f"of {project}", project, ["read", "write", "predict"], key)
    with serve(create_app(settings)) as client:
        _say_who(client, "second")
        hands = _Hands(client, context)
        of_another = {"dataset": hands.upload("of another project", _arrays(seed=4))}
        hands.finish(jobs.job("of another project", [of_another], of_another))
        _say_who(client, "default")
        hands.submit(jobs.queued_job(*datasets))
        found = client.get("/v1/deployments").raise_for_status().json()["data"]
        told: Json = {
            "deployments": {each["name"]: ask(client, each["name"], asked) for each in found}
        }
        for project in KEYS:
            _say_who(client, project)
            told[project] = everything(client)
    sweep(database, settings.model_copy(update={"gc_grace_seconds": 0.0}))
    database.dispose()
    return told


def _say_who(client: httpx.Client, project: str) -> None:
    client.headers["Authorization"] = f"Bearer {KEYS[project]}"


def _arrays(seed: int, per_class: int = 12) -> Json:
    with np.load(io.BytesIO(images(classes=4, per_class=per_class, seed=seed))) as file:
        return dict(file)


@dataclass(frozen=True)
class _Hands:
    """A client's, and a worker's."""

    client: httpx.Client
    context: WorkerContext

    def upload(self, name: str, arrays: Json, cut: int = 0) -> str:
        """`cut`: bytes that are missing at the file's end."""
        file = io.BytesIO()
        np.savez(file, **arrays)
        content = file.getvalue()[: file.tell() - cut]
        parts = [("spec", (None, json.dumps({"name": name}))), ("file", (f"{name}.npz", content))]
        answer = self.client.post("/v1/datasets", files=parts).raise_for_status()
        dataset_id = str(answer.json()["id"])
        runner.ingest(self.context, dataset_id, "worker")
        return dataset_id

    def submit(self, spec: Json) -> str:
        return str(self.client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])

    def get(self, path: str) -> Json:
        answer: Json = self.client.get(path).raise_for_status().json()
        return answer

    def finish(self, spec: Json) -> Json:
        """Returns the job once it has ended."""
        job_id = self.submit(spec)
        runner.train(self.context, "worker")
        runner.finalise(self.context, job_id, "worker")
        return self._said(job_id)

    def interrupt(self, spec: Json, how: str) -> None:
        """Pauses or cancels the job while it trains."""
        job_id = self.submit(spec)
        worker = Thread(target=runner.train, args=(self.context, "worker"))
        worker.start()

        def trains() -> bool:
            return bool(self.get(f"/v1/jobs/{job_id}/metrics")["trials"][0]["epochs"])

        wait_for(trains, 120, "no epoch has been recorded")
        self.client.post(f"/v1/jobs/{job_id}/{how}").raise_for_status()
        worker.join()
        runner.finalise(self.context, job_id, "worker")
        self._said(job_id)

    def _said(self, job_id: str) -> Json:
        job = self.get(f"/v1/jobs/{job_id}")
        print(f"{job['name']}: {job['status']}, {job['stage']}, {job['trials']}")
        return job


def _fill(hands: _Hands) -> tuple[str, str]:
    """Returns the ids of the source and the target."""
    unlabelled = _arrays(seed=2)
    del unlabelled["y_train"]
    source = hands.upload("source", _arrays(seed=1, per_class=16))
    other = hands.upload("other source", _arrays(seed=3))
    target = hands.upload("target", _arrays(seed=2))
    adapted_to = hands.upload("unlabelled", unlabelled)
    hands.upload("broken", _arrays(seed=3), cut=200)
    curve, *others = jobs.ended_jobs(source, other, target, adapted_to)
    [model] = hands.finish(curve)["models"]
    for spec in (*others, jobs.on_a_model(model, target)):
        hands.finish(spec)
    hands.interrupt(jobs.long_job("cancelled", source, target), "cancel")
    hands.interrupt(jobs.long_job("paused", source, target), "pause")
    return source, target


def _tidy(path: Path) -> str:
    """One file, which names no machine. Returns the schema's revision."""
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM idempotency")
    connection.execute("UPDATE workers SET name = 'worker', slot_bytes = 4294967296")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("VACUUM")
    [[revision]] = connection.execute("SELECT version_num FROM alembic_version")
    connection.close()
    return str(revision)


def _require_anonymous(folder: Path, scratch: str) -> None:
    words = (scratch, str(Path(__file__).parents[2]), str(Path.home()), socket.gethostname())
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found = [word for word in words if len(word) > 3 and word.encode() in content]
        assert not found, f"{path.relative_to(folder)} names {found}"


if __name__ == "__main__":
    main()
