"""`ktl predict NAME rows.csv` and the client's rows, against a server with a script."""

import json

import numpy as np
import pytest

from app.client import Client
from tests.prediction.tables import CLASSES, INPUTS

PREDICTION = {
    "deployment": "people",
    "model": "mdl_1",
    "outputs": [{"label": "rich", "score": 0.9}],
}
DEPLOYMENT = {
    "name": "people",
    "model": "mdl_1",
    "version": 1,
    "status": "ready",
    "reason": None,
    "created_at": "2026-11-26T00:00:00Z",
    "updated_at": "2026-11-26T00:00:00Z",
    "history": [],
}
MODEL = {
    "id": "mdl_1",
    "name": "m",
    "signature": {
        "inputs": INPUTS.model_dump(mode="json"),
        "task": {"kind": "classification", "classes": CLASSES},
    },
    "card": {},
    "hashes": {},
    "deployments": ["people"],
    "created_at": "2026-11-26T00:00:00Z",
}
CSV = 'label,income,city,age,owns,since\nrich,52000,Oslo,40,yes,2024-10-09\npoor,,"Rome",41.5,,\n'
ROWS = [
    {"income": 52_000, "city": "Oslo", "age": 40, "owns": "yes", "since": "2024-10-09"},
    {"income": None, "city": "Rome", "age": 41.5, "owns": None, "since": None},
]


@pytest.fixture
def answering(scripted, monkeypatch):
    monkeypatch.setenv("KTL_URL", scripted.url)
    for answer in (DEPLOYMENT, MODEL, PREDICTION):
        scripted.answer(200, answer)
    return scripted


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_rows_of_a_csv_file_are_what_the_signature_says(ktl, answering, tmp_path, delimiter, mark):
    text = mark + CSV.replace(",", delimiter) + "\n"
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    ended = ktl("predict", "people", tmp_path / "rows.csv")
    assert ended.status == 0, ended.err
    assert json.loads(answering.requests[2][3]) == {"inputs": ROWS}
    assert "left out, since the model does not know them: label" in ended.err
    assert "rich" in ended.out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("52000", "many", "column `income` of row 1"),
        ("41.5", "41,5", "expected 6 fields in row 2, got 7"),
        ("income", "salary", "expected one column `income`, got none"),
        ("label", "income", "expected one column `income`, got several"),
        (CSV.partition("\n")[2], "", "rows below the names of columns, got none"),
        ("Oslo", '"Oslo', "CSV file in UTF-8"),
    ],
)
def test_what_is_wrong_with_a_csv_file_is_said(ktl, answering, tmp_path, old, new, said):
    (tmp_path / "rows.csv").write_text(CSV.replace(old, new, 1), encoding="utf-8")
    ended = ktl("predict", "people", tmp_path / "rows.csv")
    assert ended.status == 2
    assert said in " ".join(ended.err.split())
    assert "many" not in ended.err


@pytest.mark.parametrize("name", ["rows.csv", "none.csv"])
def test_files_that_are_no_text_are_refused(ktl, answering, tmp_path, name):
    (tmp_path / "rows.csv").write_bytes(CSV.encode("utf-16"))
    assert ktl("predict", "people", tmp_path / name).status == 2


def test_a_model_of_pictures_takes_no_csv(ktl, scripted, monkeypatch, tmp_path):
    monkeypatch.setenv("KTL_URL", scripted.url)
    inputs = {"modality": "image", "shape": [2, 2, 1], "dtype": "uint8", "value_range": [0, 255]}
    signature = MODEL["signature"] | {"inputs": inputs}
    scripted.answer(200, DEPLOYMENT)
    scripted.answer(200, MODEL | {"signature": signature})
    (tmp_path / "rows.csv").write_text(CSV)
    ended = ktl("predict", "people", tmp_path / "rows.csv")
    assert ended.status == 2
    assert "expected .npy or JSON for a model of images" in " ".join(ended.err.split())


def test_rows_as_json(ktl, scripted, monkeypatch, tmp_path):
    monkeypatch.setenv("KTL_URL", scripted.url)
    scripted.answer(200, PREDICTION)
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    assert ktl("predict", "people", tmp_path / "rows.json").status == 0
    assert json.loads(scripted.requests[0][3]) == {"inputs": ROWS}


def test_the_client_takes_numpys_numbers_and_nan_for_what_is_missing(scripted):
    scripted.answer(200, PREDICTION)
    row = {"income": np.float64("nan"), "age": np.int64(40), "city": "Oslo", "owns": np.bool_(True)}
    with Client(scripted.url) as client:
        client.deployments.predict("people", [row, {"age": float("nan")}])
    assert json.loads(scripted.requests[0][3])["inputs"] == [
        {"income": None, "age": 40, "city": "Oslo", "owns": True},
        {"age": None},
    ]
