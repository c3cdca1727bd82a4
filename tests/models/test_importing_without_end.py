"""A network that is never read to its end holds no worker for ever."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from app.database import Database
from app.main import create_app
from app.settings import Settings
from app.storage import UPLOADS
from app.tables import Base
from app.tables.model_imports import ModelImportRow
from tests.importing import archives
from tests.models.test_importing import model_of, sent, stored
from tests.serving import serve

pytestmark = pytest.mark.slow

CHILD = """
import sys, time
from pathlib import Path
from app.database import Database
from app.settings import Settings
from app.storage import Storage
from worker.importing import importing
from worker.machine.context import WorkerContext
from worker.process import runner
importing.read_keras = lambda *_: time.sleep(600)
settings = Settings()
storage = Storage(settings.storage, settings.cache_dir)
slots = Path(sys.argv[1])
context = WorkerContext(settings, Database(settings.database), storage, slots, lambda: False)
runner.import_model(context, sys.argv[2], "w")
"""

HOLDING = """
import ctypes, sys
from worker.machine import time_limit
time_limit.PATIENCE_SECONDS = 0.2
with time_limit.ends_with_its_process(float(sys.argv[1]), lambda: True):
    ctypes.PyDLL(None).usleep(int(float(sys.argv[2]) * 1e6))  # keeps the interpreter from all
print("over")
"""


def child(program: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, **environment},
    )


def test_an_import_without_end_is_failed_and_its_process_ended(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "ktl", broker_url="memory://", import_seconds=1)
    settings.home.mkdir()
    database = Database(settings.database)
    Base.metadata.create_all(database.engine)
    file = archives.saved(archives.plane(), tmp_path / "plane.keras")
    with serve(create_app(settings)) as client:
        model_id = sent(client, file)
        with database.read() as session:
            (import_id,) = session.scalars(select(ModelImportRow.id))
        place = {"KTL_DATA_DIR": str(settings.home), "KTL_IMPORT_SECONDS": "1"}
        ended = child(CHILD, str(tmp_path), import_id, **place)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        found = model_of(client, model_id)
        assert found["status"] == "failed"
        assert (found["error"]["failure"], found["error"]["code"]) == (
            "model_invalid",
            "took_too_long",
        )
        assert "KTL_IMPORT_SECONDS" in str(found["error"])
    assert not stored(settings, UPLOADS)
    database.dispose()


def test_where_no_thread_comes_to_run_the_kernel_ends_the_process() -> None:
    assert child(HOLDING, "0.1", "100").returncode == -signal.SIGALRM


def test_what_ends_in_time_goes_on() -> None:
    ended = child(HOLDING, "30", "0")
    assert (ended.returncode, ended.stdout) == (0, "over\n"), ended.stderr
