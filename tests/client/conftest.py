"""The real API on loopback, without a worker; and a server that answers by a script."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from app.client import Client
from app.settings import Settings
from tests.client.running_api import RunningApi, running_api


@pytest.fixture
def api(settings: Settings) -> Iterator[RunningApi]:
    with running_api(settings) as api:
        yield api


@pytest.fixture
def client(api: RunningApi) -> Iterator[Client]:
    with Client(api.url, api_key="") as client:
        yield client


class Scripted:
    """Answers (status, headers, body) in turn, the last one for ever, and keeps what was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                script.requests.append((self.command, self.path, headers, body))
                answers = script.answers
                status, headers, answer = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, status: int, body: object = None, **headers: str) -> None:
        self.answers.append((status, headers, json.dumps(body).encode()))


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    scripted = Scripted()
    thread = Thread(target=scripted.server.serve_forever)
    thread.start()
    yield scripted
    scripted.server.shutdown()
    thread.join()
    scripted.server.server_close()
