"""Requests that are answered as soon as they are read, and those for which a task is started."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from app import prompt_protocol
from app import server as serving
from app.at_once import WholeAnswer
from app.settings import Settings


async def told(send: Send, content: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


class Application:
    """Answers a body with how it was answered: at once, later, or in a task."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        await told(send, b"task:" + body)

    def at_once(self, scope: Scope, body: bytes) -> WholeAnswer | ASGIApp | None:
        if scope["path"] == "/now":
            content = b"at once:" + body
            return WholeAnswer([(b"content-length", b"%d" % len(content))], content)

        async def later(scope: Scope, receive: Receive, send: Send) -> None:
            await told(send, b"later:" + body)

        return later if scope["path"] == "/later" else None


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    folder: Path = tmp_path_factory.mktemp("prompt")
    server = serving.server(
        Application(), Settings(data_dir=folder), log_config=None, lifespan="off"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        yield listener.getsockname()
        server.should_exit = True
        thread.join()


def request(path: str, body: bytes = b"x", *lines: str, version: str = "1.1") -> bytes:
    head = [f"POST {path} HTTP/{version}", "Host: localhost", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, *lines, "", ""]).encode() + body


LAST = request("/end", b"end", "Connection: close")


def asked(address: tuple[str, int], *pieces: bytes) -> list[bytes]:
    """The bodies of all answers, in their order."""
    received = b""
    with socket.create_connection(address, timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.05)
        while piece := connection.recv(2**16):
            received += piece
    assert received.count(b"HTTP/1.1 200 OK\r\n") == received.count(b"\r\n\r\n")
    return [part.partition(b"\r\n\r\n")[2] for part in received.split(b"HTTP/1.1 200 OK\r\n")[1:]]


@pytest.mark.parametrize(
    ("path", "how"), [("/now", b"at once"), ("/later", b"later"), ("/", b"task")]
)
def test_a_connection_goes_on_after_each_answer(
    address: tuple[str, int], path: str, how: bytes
) -> None:
    found = asked(address, request(path, b"one"), request(path, b"two"), LAST)
    assert found == [how + b":one", how + b":two", b"task:end"]


def test_what_comes_in_one_piece_is_answered_in_its_order(address: tuple[str, int]) -> None:
    bodies = [b"%d" % number for number in range(20)]
    found = asked(address, b"".join([*(request("/now", body) for body in bodies), LAST]))
    assert [answer.partition(b":")[2] for answer in found] == [*bodies, b"end"]
    assert sum(answer.startswith(b"at once") for answer in found) == 1  # the others wait in line
    mixed = [request(path, b"%d" % n) for n, path in enumerate(["/later", "/now", "/", "/now"])]
    found = asked(address, b"".join([*mixed, LAST]))
    assert [answer.partition(b":")[2] for answer in found] == [b"0", b"1", b"2", b"3", b"end"]


def test_a_body_that_comes_in_pieces_is_waited_for(address: tuple[str, int]) -> None:
    whole = request("/now", b"abcdef")
    for cut in (10, len(whole) - 6, len(whole) - 3):
        assert asked(address, whole[:cut], whole[cut:], LAST)[0].endswith(b":abcdef")
    chunked = b"POST /now HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert asked(address, chunked + b"3\r\nabc\r\n0\r\n\r\n", LAST)[0] == b"at once:abc"
    assert asked(address, chunked + b"3\r\nabc\r\n", b"0\r\n\r\n", LAST)[0] == b"task:abc"


def test_a_body_that_follows_its_head_is_answered_at_once(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_protocol, "HELD_SECONDS", 60)
    whole = request("/now", b"abcdef")
    for cut in (len(whole) - 6, len(whole) - 3):
        assert asked(address, whole[:cut], whole[cut:], LAST)[0] == b"at once:abcdef"
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(whole[:-3])  # and goes: nobody waits for it


def test_who_closes_or_speaks_an_older_version_is_answered_and_closed(
    address: tuple[str, int],
) -> None:
    assert asked(address, request("/now", b"a", "Connection: close")) == [b"task:a"]
    assert asked(address, request("/now", b"a", version="1.0")) == [b"task:a"]


def test_who_asks_whether_to_go_on_is_told_so(address: tuple[str, int]) -> None:
    whole = request("/now", b"abc", "Expect: 100-continue", "Connection: close")
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(whole[:-3])
        assert connection.recv(2**16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(whole[-3:])
        assert connection.recv(2**16).endswith(b"abc")


def test_an_answer_at_once_has_the_headers_that_all_have(address: tuple[str, int]) -> None:
    heads = []
    for path in ("/now", "/"):
        with socket.create_connection(address, timeout=20) as connection:
            connection.sendall(request(path))
            head = connection.recv(2**16).partition(b"\r\n\r\n")[0]
            heads.append([line.partition(b":")[0] for line in head.split(b"\r\n")])
    assert heads[0] == heads[1]
    assert b"date" in heads[0]
