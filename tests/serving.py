"""The application on a real server and a real socket: what the tests see is what clients see."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import httpx
import uvicorn
from fastapi import FastAPI


@contextmanager
def serve(app: FastAPI) -> Iterator[httpx.Client]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        # log_config: dictConfig would make absl close the stderr that pytest captures.
        config = uvicorn.Config(app, log_config=None, log_level="error", ws="none", lifespan="on")
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with httpx.Client(base_url=url, timeout=30, verify=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(10)
