"""`ktl predict NAME photo.jpg …`, against a server with a script."""

import pytest

from app.cli import sent_pictures

ANSWER = {
    "deployment": "birds",
    "model": "mdl_1",
    "outputs": [{"label": "owl", "score": 0.9}, {"label": "gull", "score": 0.8}],
}


@pytest.fixture
def answering(scripted, monkeypatch):
    monkeypatch.setenv("KTL_URL", scripted.url)
    return scripted


def test_pictures_go_as_they_are_and_come_back_by_name(ktl, answering, tmp_path):
    answering.answer(200, ANSWER)
    paths = [tmp_path / "a.jpg", tmp_path / "b.unknown"]
    for path in paths:
        path.write_bytes(b"\xff\xd8" + path.name.encode())
    ended = ktl("predict", "birds", *paths, "--top-k", 2)
    assert ended.status == 0, ended.err
    ((method, path, headers, body),) = answering.requests
    assert (method, path) == ("POST", "/v1/deployments/birds/predict")
    assert headers["content-type"].startswith("multipart/form-data")
    assert body.count(b'name="file"') == 2
    assert b'name="top_k"\r\n\r\n2' in body
    assert b"\xff\xd8b.unknown" in body
    lines = [line.split() for line in ended.out.splitlines()[1:]]
    assert lines == [[str(paths[0]), "owl", "0.9000"], [str(paths[1]), "gull", "0.8000"]]


def test_many_pictures_are_many_requests(ktl, answering, tmp_path, monkeypatch):
    monkeypatch.setattr(sent_pictures, "IN_A_REQUEST", 2)
    paths = [tmp_path / f"{number}.jpg" for number in range(3)]
    for path in paths:
        path.write_bytes(b"\xff\xd8")
    answering.answer(200, ANSWER)
    answering.answer(200, ANSWER | {"outputs": [{"label": "hawk", "score": 0.7}]})
    ended = ktl("predict", "birds", *paths)
    assert [line.split()[1] for line in ended.out.splitlines()[1:]] == ["owl", "gull", "hawk"]
    assert len(answering.requests) == 2


def test_the_file_that_is_no_picture_is_named(ktl, answering, tmp_path):
    detail = "expected a picture, got a web page"
    problem = {
        "status": 422,
        "code": "unreadable_picture",
        "detail": detail,
        "errors": [{"detail": detail, "pointer": "#/file/1"}],
    }
    answering.answer(422, problem)
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"<html>")
    ended = ktl("predict", "birds", tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert ended.status == 2
    assert "b.jpg: expected a picture, got a web page" in " ".join(ended.err.split())


@pytest.mark.parametrize("names", [("a.jpg", "x.npy"), ("a.jpg", "x"), ("gone.jpg",)])
def test_what_cannot_be_sent_is_refused(ktl, answering, tmp_path, names):
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "x.npy").write_bytes(b"")
    (tmp_path / "x").write_bytes(b" [[1]]")
    assert ktl("predict", "birds", *[tmp_path / name for name in names]).status == 2
    assert not answering.requests


def test_a_folder_is_the_pictures_below_it(ktl, answering, tmp_path):
    (tmp_path / "owls").mkdir()
    for name in ("b.PNG", "owls/a.jpg", ".hidden.png", "owls/notes.md"):
        (tmp_path / name).write_bytes(b"\xff\xd8" + name.encode())
    answering.answer(200, ANSWER)
    ended = ktl("predict", "birds", tmp_path)
    assert ended.status == 0, ended.err
    ((_, _, _, body),) = answering.requests
    assert body.count(b'name="file"') == 2
    lines = [line.split()[0] for line in ended.out.splitlines()[1:]]
    assert lines == [str(tmp_path / "b.PNG"), str(tmp_path / "owls/a.jpg")]


def test_a_folder_without_pictures_has_texts_or_is_refused(ktl, answering, tmp_path):
    (tmp_path / "note.txt").write_text("a good film")
    answering.answer(200, ANSWER | {"outputs": [{"label": "good", "score": 0.9}]})
    ended = ktl("predict", "films", tmp_path)
    assert (ended.status, "note.txt" in ended.out) == (0, True), ended.err
    (tmp_path / "note.txt").unlink()
    refused = ktl("predict", "films", tmp_path)
    assert (refused.status, "expected pictures or .txt files" in refused.err) == (2, True)
