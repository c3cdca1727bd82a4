"""Checks of `ktl doctor`, one after the other."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from pydantic import ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from app import damage
from app.background import Outbox
from app.broker import BrokerFailed, server_program
from app.cli.preconditions import CannotStart, require_schema
from app.database import Database
from app.errors import KtlError, WorkFailure
from app.settings import Settings
from app.storage import Storage

LOOK_FOR_GPUS = (sys.executable, "-m", "worker.machine.gpus")
WORKER_EXTRA = ("keras", "onnx", "optuna", "scipy", "sklearn", "tensorflow", "tf2onnx")


@dataclass(frozen=True)
class Check:
    name: str
    status: Literal["ok", "absent", "failed"]
    detail: str  # what was found; where it failed, what to do


def diagnose(verify: bool) -> Iterator[Check]:
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        yield Check("settings", "failed", f"KTL_{str(first['loc'][0]).upper()}: {first['msg']}")
        return
    yield Check("settings", "ok", f"the data folder is {settings.home}")
    yield _database(settings)
    yield _attempt(
        "broker",
        Outbox(settings.broker).check,
        "it answers",
        _where_brokers_come_from(),
    )
    storage = Storage(settings.storage, settings.cache_dir)
    yield _attempt(
        "store", storage.check, f"{settings.storage} can be written to", "see KTL_STORAGE_URL"
    )
    missing = [name for name in WORKER_EXTRA if find_spec(name) is None]
    if missing:
        what = f"no worker can run here without {', '.join(missing)}; the extra `worker` has them"
        yield Check("worker", "absent", what)
    else:
        yield Check("worker", "ok", "the extra `worker` is installed")
        yield _gpus()
    if verify:
        yield from _files(settings, storage)


def _gpus() -> Check:
    """Asked of the worker's side in a process of its own, which wakes CUDA in others."""
    ended = subprocess.run(LOOK_FOR_GPUS, capture_output=True, text=True, check=False)  # noqa: S603  ours
    try:
        found = json.loads(ended.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return Check("gpu", "failed", f"looking for GPUs ended with {ended.returncode}")
    said = "; ".join([*(f"GPU {each} computes" for each in found["usable"]), *found["complaints"]])
    if found["complaints"]:
        return Check("gpu", "failed", said)
    if not found["usable"]:
        why = "CUDA_VISIBLE_DEVICES hides all" if found["has_driver"] else "there is no driver"
        return Check("gpu", "absent", f"{why}: a worker trains on its cores")
    return Check("gpu", "ok", said)


def _where_brokers_come_from() -> str:
    try:
        server_program()
    except BrokerFailed as missing:
        return f"nor can `ktl up` start one: {missing}"
    return "`ktl up` starts one; KTL_BROKER_URL names another"


def _database(settings: Settings) -> Check:
    shown = make_url(settings.database).render_as_string(hide_password=True)
    try:
        require_schema(settings)
    except (CannotStart, SQLAlchemyError) as error:
        return Check("database", "failed", f"{shown}: {error}")
    return Check("database", "ok", f"{shown}, at the newest schema")


def _attempt(name: str, check: Callable[[], None], good: str, advice: str) -> Check:
    try:
        check()
    except (KtlError, WorkFailure) as error:
        return Check(name, "failed", f"{error}; {advice}")
    return Check(name, "ok", good)


def _files(settings: Settings, storage: Storage) -> Iterator[Check]:
    """One line for each that is not whole, and one for all."""
    database = Database(settings.database)
    whole = 0
    try:
        for failure in damage.verify(database, storage):
            if failure is None:
                whole += 1
            else:
                yield Check("files", "failed", failure.detail)
    except SQLAlchemyError as error:
        yield Check("files", "failed", f"the database does not say which there are: {error}")
    finally:
        database.dispose()
    yield Check("files", "ok", f"{whole} stored files are whole")
