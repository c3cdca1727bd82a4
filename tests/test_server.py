"""Clients that stop half-way, that never end, that take nothing, and too many of them."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import orjson
import pytest
from starlette.types import Receive, Scope, Send

from app import server as serving
from app.settings import Settings

Connect = Callable[[], socket.socket]
ANSWER_BYTES = 2**26


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers the size of the body; or much, where it is asked for it."""
    size, more = 0, scope["type"] == "http"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    body = b"0" * ANSWER_BYTES if scope["path"] == "/much" else b"%d" % size
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Connects to a server that waits half a second and takes four connections."""
    monkeypatch.setattr(serving, "TICKS", 1)
    monkeypatch.setattr(serving, "TAKING_FACTOR", 1)
    monkeypatch.setattr(serving, "SPARE", 2)
    settings = Settings(data_dir=tmp_path, connection_limit=4, request_timeout_seconds=0.5)
    server = serving.server(application, settings, log_config=None, lifespan="off")
    opened: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, args=([listener],))
        thread.start()

        def connect() -> socket.socket:
            opened.append(socket.create_connection(listener.getsockname(), timeout=20))
            return opened[-1]

        yield connect
        for connection in opened:
            connection.close()
        server.should_exit = True
        thread.join()


def taken(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    received = b""
    with closing(connection):
        while piece := connection.recv(2**16):
            received += piece
    return received


def send_until_closed(connection: socket.socket, piece: bytes, pause: float = 0.0) -> None:
    try:
        for _ in range(200):
            connection.sendall(piece)
            time.sleep(pause)
    except OSError:
        return
    pytest.fail("expected the server to close, it took all")


def problem(answer: bytes) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    found: dict[str, object] = orjson.loads(body)
    return found


HALVES = (
    b"",
    b"GET / HTTP/1.1\r\nHost: ",
    b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
)


def test_half_a_request_is_closed(connect: Connect) -> None:
    opened = [connect() for _ in HALVES]
    for connection, begun in zip(opened, HALVES, strict=True):
        connection.sendall(begun)
    assert [problem(taken(connection))["status"] for connection in opened] == [408] * len(HALVES)


def test_the_second_half_of_a_head_may_not_trickle(connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
    send_until_closed(connection, b"a", pause=0.1)


def test_a_slow_upload_is_not_cut(connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 12\r\nConnection: close\r\n\r\n")
    for _ in range(12):
        time.sleep(0.15)
        connection.sendall(b"a")
    answer = taken(connection)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"12")


def test_an_answer_that_nobody_takes_is_dropped(connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n")
    time.sleep(1.5)
    assert len(taken(connection)) < ANSWER_BYTES


@pytest.mark.parametrize("name", [b"X-Long: ", b""])
def test_a_head_without_end_is_refused(connect: Connect, name: bytes) -> None:
    connection = connect()
    connection.sendall(b"GET / HTTP/1.1\r\n" + name)
    send_until_closed(connection, (b"a" if name else b"a: b\r\n") * 2**14)


def test_trailers_without_end_are_refused(connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n")
    send_until_closed(connection, b"a: b\r\n" * 2**14)


def test_what_is_no_request_is_a_problem(connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"HELO there\r\n\r\n")
    found = problem(taken(connection))
    assert (found["status"], found["code"]) == (400, "bad_request")


def test_too_many_connections_are_told_so(connect: Connect) -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    held = [connect() for _ in range(4)]
    for connection in held:  # keep-alive: they stay
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(2**16).startswith(b"HTTP/1.1 200")
    another = connect()
    another.sendall(request)
    answer = taken(another)
    assert problem(answer)["code"] == "too_many_connections"
    assert b"retry-after: 5" in answer
    held[0].close()
    time.sleep(0.2)
    again = connect()
    again.sendall(request)
    assert taken(again).startswith(b"HTTP/1.1 200")
