"""`ktl predict NAME` with texts, against a server with a script."""

import json

import pytest

from tests.cli.test_rows import DEPLOYMENT, MODEL, PREDICTION

TEXT_MODEL = {
    **MODEL,
    "signature": {
        "inputs": {"modality": "text", "length": 32},
        "task": {"kind": "classification", "classes": ["bad", "good"]},
    },
}


@pytest.fixture
def answering(scripted, monkeypatch):
    monkeypatch.setenv("KTL_URL", scripted.url)
    return scripted


def sent(scripted):
    return json.loads(scripted.requests[-1][3])["inputs"]


def test_texts_are_said_on_the_command_line(ktl, answering):
    answering.answer(200, {**PREDICTION, "outputs": PREDICTION["outputs"] * 2})
    status, _, err = ktl("predict", "people", "--text", "味道很好", "--text", "never again")
    assert status == 0, err
    assert sent(answering) == ["味道很好", "never again"]


def test_files_are_texts_each(ktl, answering, tmp_path):
    (tmp_path / "a.txt").write_text("味道\n很好", encoding="utf-16")
    (tmp_path / "b.txt").write_text("never again")
    answering.answer(200, {**PREDICTION, "outputs": PREDICTION["outputs"] * 2})
    status, out, err = ktl("predict", "people", tmp_path / "a.txt", tmp_path / "b.txt")
    assert status == 0, err
    assert sent(answering) == ["味道\n很好", "never again"]
    assert "a.txt" in out


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ('text,label\nfine,1\n"so, so",0\n', ()),
        ("said;n\nfine;1\nso, so;2\n", ("--column", "said")),
        ('said\nfine\n"so, so"\n', ()),
        ('\nReviews of May\n\nn;" text "\n1;fine\n2;so, so\n', ()),
    ],
)
def test_a_column_of_a_csv_file(ktl, answering, tmp_path, content, options):
    (tmp_path / "texts.csv").write_text(content)
    for answer in (DEPLOYMENT, TEXT_MODEL, {**PREDICTION, "outputs": PREDICTION["outputs"] * 2}):
        answering.answer(200, answer)
    status, _, err = ktl("predict", "people", tmp_path / "texts.csv", *options)
    assert status == 0, err
    assert sent(answering) == ["fine", "so, so"]
    assert "texts of the column `" in err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "expected one column `text`, got none; --column says which"),
        ("text,b\nfine,2\n,3\n", "line 3"),
        ("text,b\nfine\n", "expected 2 fields"),
        ("text,b\n", "expected rows"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(ktl, answering, tmp_path, content, said):
    (tmp_path / "texts.csv").write_text(content)
    for answer in (DEPLOYMENT, TEXT_MODEL):
        answering.answer(200, answer)
    status, _, err = ktl("predict", "people", tmp_path / "texts.csv")
    assert status != 0
    assert said in " ".join(err.split())


def test_files_or_texts(ktl, answering, tmp_path):
    (tmp_path / "a.txt").write_text("fine")
    (tmp_path / "a.jpg").write_bytes(b"x")
    for arguments in ((), (tmp_path / "a.txt", "--text", "fine")):
        assert "expected files, or --text" in " ".join(
            ktl("predict", "people", *arguments)[2].split()
        )
    said = ktl("predict", "people", tmp_path / "a.txt", tmp_path / "a.jpg")[2]
    assert "expected texts alone" in " ".join(said.split())
