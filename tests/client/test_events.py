import httpx
import orjson
import pytest

from app.client import Client, Unreachable
from app.client.ktl.events import Event, events_of
from app.jobs.events import sse

STREAM = {"Content-Type": "text/event-stream; charset=utf-8"}


def read(content: bytes, *, pieces: int = 2**20) -> list[Event]:
    cut = [content[at : at + pieces] for at in range(0, len(content), pieces)]
    return [*events_of(httpx.Response(200, headers=STREAM, content=iter(cut)))]


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_events_and_comments(pieces):
    text = b': keep-alive\n\nid: 1\nevent: status\ndata: {"status":\ndata:  "queued"}\n\n'
    text += b'data:{"a": 1}\nretry: 5\n\n: again\n\nid: 3\ndata: {"cut": "off"}'
    assert read(text, pieces=pieces) == [
        Event("1", "status", {"status": "queued"}),
        Event("", "message", {"a": 1}),
    ]


def test_what_is_of_the_moment_has_no_number():
    told = sse("status", {}, 1) + sse("progress", {"done": 1}) + b": keep-alive\n\n"
    told += sse("progress", {"done": 2}) + sse("trial", {}, 2) + sse("progress", {"done": 3})
    assert [(event.number, event.kind) for event in read(told)] == [
        ("1", "status"),
        ("", "progress"),
        ("", "progress"),
        ("2", "trial"),
        ("", "progress"),
    ]


def test_a_line_ends_where_the_standard_says_and_nowhere_else():
    """Python's own lines end at these too, and JSON carries them as they are."""
    data = {"message": "a class\u2028called\u2029one\x85two"}
    assert "\u2028".encode() in orjson.dumps(data)
    assert read(sse("warning", data, 1)) == [Event("1", "warning", data)]


def test_nothing():
    assert read(b"") == []


def test_an_answer_that_is_no_stream_is_no_story(scripted):
    scripted.answer(200, "a page of a proxy's", **{"Content-Type": "text/html"})
    with Client(scripted.url, api_key="") as client, pytest.raises(Unreachable, match="text/html"):
        list(client.jobs.events("job_1"))
