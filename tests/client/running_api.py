"""The API in a thread of the test, on a port of its own that it keeps over restarts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn

from app import broker
from app.child_process import stop
from app.cli.supervisor import free_port
from app.main import create_app
from app.migrate import upgrade
from app.settings import Settings


class RunningApi:
    def __init__(self, settings: Settings) -> None:
        self._settings, self.port = settings, free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        config = uvicorn.Config(
            create_app(self._settings),
            log_config=None,  # dictConfig would make absl close the stderr that pytest captures
            port=self.port,
            log_level="error",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = Thread(target=self._server.run)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the API did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@contextmanager
def running_api(settings: Settings) -> Iterator[RunningApi]:
    """With its broker, where messages wait for a worker that does not come."""
    upgrade(settings.database)
    process = broker.ensure(settings)
    assert process
    api = RunningApi(settings)
    api.start()
    yield api
    api.stop()
    stop(process, 10)
