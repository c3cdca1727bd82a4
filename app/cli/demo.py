"""`ktl demo`: the example job from its submission to predictions, and nothing left behind."""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

from app.cli import pictures, progress, verdict
from app.cli.output import complain, err, out
from app.cli.supervisor import POLL_SECONDS, Supervisor, free_port
from app.client import ApiError, Client, Unreachable
from app.datasets.preview_schemas import PreviewItem
from app.jobs.schemas import JobOut
from app.prediction.schemas import Prediction
from app.settings import Settings
from app.spec.spec import EXAMPLE

# A wheel carries no examples; the worked example of the API's documentation is the same job.
EXAMPLE_FILE = Path(__file__).parents[2] / "examples" / "digits.json"
START_SECONDS = 60
LOG_LINES = 20  # shown when something failed
PREDICTIONS = 8
PICTURE_SIDE = 16  # pixels


class DemoFailed(Exception):
    """The message says what was expected and what came."""


def run() -> int:
    """Returns the exit status; from the main thread."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _temporary_settings() as settings:
        log_path = settings.home / "log"
        with log_path.open("wb") as log:
            supervisor = Supervisor(settings, complain, log, _environment(settings))
            try:
                out.print(f"starting broker, API and worker in {settings.home}", style="dim")
                supervisor.start()
                if not supervisor.wait_until_ready(START_SECONDS):
                    raise DemoFailed(f"the API was not ready within {START_SECONDS} s")
                _show_all(supervisor, settings)
                out.print(f"\ndone in {time.monotonic() - began:.0f} s", style="dim")
            except KeyboardInterrupt:
                return 130
            except (DemoFailed, ApiError, Unreachable) as failure:
                complain("\n".join(log_path.read_text(errors="replace").splitlines()[-LOG_LINES:]))
                complain(f"the demo failed: {failure}")
                return 1
            finally:
                supervisor.stop()
    return 0


@contextmanager
def _temporary_settings() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="ktl-demo-", ignore_cleanup_errors=True) as folder:
        settings = Settings(
            data_dir=Path(folder),
            port=free_port(),
            host="127.0.0.1",
            database_url="",
            broker_url="",
            storage_url="",
            url="",
            first_key_file=None,
        )
        yield settings
        shutil.rmtree(settings.broker_socket.parent, ignore_errors=True)


def _environment(settings: Settings) -> dict[str, str]:
    """Whatever the user has set for real work stays out of the demo."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KTL_")}
    return {**inherited, "KTL_DATA_DIR": str(settings.home), "KTL_PORT": str(settings.port)}


def _show_all(supervisor: Supervisor, settings: Settings) -> None:
    """The client talks in a thread; this one, whose children they are, looks after the roles."""
    pool = ThreadPoolExecutor(1)
    try:
        shown: Future[None] = pool.submit(_show, settings)
        while not shown.done():
            if ending := supervisor.casualty():
                raise DemoFailed(ending)
            time.sleep(POLL_SECONDS)
        shown.result()
    finally:
        supervisor.stop()
        pool.shutdown()


def _show(settings: Settings) -> None:
    with Client(settings.base_url, api_key="") as client:
        spec = json.loads(EXAMPLE_FILE.read_text()) if EXAMPLE_FILE.exists() else EXAMPLE
        job = client.jobs.submit(spec)
        labels = job.spec["target"]["labels_per_class"]
        out.print(f"submitted {job.id}: {job.name}, {labels} labels per class in the target")
        with progress.shown(err) as show:
            job = client.jobs.wait(job.id, show)
        if job.status != "succeeded":
            raise DemoFailed(f"expected the job to succeed, it {job.status}: {job.error}")
        out.print()
        verdict.show(client.jobs.report(job.id), job.source_names)
        _show_predictions(client, job)


def _show_predictions(client: Client, job: JobOut) -> None:
    if job.deployment is None:
        raise DemoFailed("expected a deployment, got none: the report above says why")
    items = client.datasets.preview(job.target, "test", limit=PREDICTIONS).data
    images = np.array([item.image for item in items], dtype=np.float32)
    found = client.deployments.predict(job.deployment, images).outputs
    answers = [answer for answer in found if isinstance(answer, Prediction)]
    out.print(f"\nPOST {client.url}/v1/deployments/{job.deployment}/predict\n", markup=False)
    columns = Table.grid(padding=(0, 2))
    columns.add_row(*(_captioned(*each) for each in zip(images, items, answers, strict=True)))
    out.print(columns)


def _captioned(image: np.ndarray, item: PreviewItem, answer: Prediction) -> Group:
    right = item.label == answer.label
    picture = pictures.braille(
        pictures.fitted(image.squeeze(), PICTURE_SIDE), threshold=float(image.max()) / 2
    )
    return Group(
        picture,
        f"true {item.label}",
        Text(f"says {answer.label}", style="green" if right else "red"),
        Text(f"{answer.score:.2f}", style="dim"),
    )
