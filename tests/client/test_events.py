from app.client.events import Event, parse


def test_events_and_comments():
    text = ': keep-alive\n\nid: 1\nevent: status\ndata: {"status":\ndata:  "queued"}\n\n'
    text += 'data:{"a": 1}\nretry: 5\n\n: again\nid: 3\ndata: {"cut": "off"}'
    assert list(parse(text.split("\n"))) == [
        Event("1", "status", {"status": "queued"}),
        Event("", "message", {"a": 1}),
    ]


def test_nothing():
    assert list(parse([])) == []
