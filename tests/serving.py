"""The application on a real server and a real socket: what the tests see is what clients see."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server import server
from app.settings import Settings


@contextmanager
def serve(app: FastAPI, is_prompt: bool = True) -> Iterator[httpx.Client]:
    """`is_prompt`: with the answers that need no task (app/at_once.py)."""
    settings: Settings = getattr(app.state, "settings", None) or Settings()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        # log_config: dictConfig would make absl close the stderr that pytest captures.
        options = {"log_config": None, "log_level": "error", "lifespan": "on"}
        running = server(app if is_prompt else _as_any_server_sees(app), settings, **options)
        thread = Thread(target=running.run, args=([listening],), daemon=True)
        thread.start()
        try:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with httpx.Client(base_url=url, timeout=30, verify=False) as client:
                yield client
        finally:
            running.should_exit = True
            thread.join(10)


def _as_any_server_sees(app: ASGIApp) -> ASGIApp:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return application
