"""`ktl predict NAME rows.csv` and the client's rows, against a server with a script."""

import json

import numpy as np
import pytest

from app.cli.rows import read
from app.client import Client
from app.inputs.columns import CategoryColumn
from app.inputs.table import TableInputs
from tests.prediction.tables import CLASSES, INPUTS

PREDICTION = {
    "deployment": "people",
    "model": "mdl_1",
    "outputs": [{"label": "rich", "score": 0.9}],
}
DEPLOYMENT = {
    "name": "people",
    "model": "mdl_1",
    "model_name": "m",
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
        ("52000", "many", "column `income` of the row that ends on line 2"),
        ("41.5", "41,5", "expected 6 fields in the row that ends on line 3, got 7"),
        ("income", "salary", "expected one column `income`, got none"),
        ("label", "income", "expected one column `income`, got several"),
        (CSV.partition("\n")[2], "", "rows below the names of columns, got none"),
        ("Oslo", '"Oslo', "expected a CSV file"),
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
    (tmp_path / "rows.csv").write_bytes(b"PK\x03\x04\xff\xff" + CSV.encode())
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


GERMAN = (
    "label;income;city;age;owns;since\nrich;52000,0;Oslo;4,0e1;yes;2024-10-09\npoor; ;Rome;41,5;;\n"
)


def test_a_decimal_comma_is_read_aloud(ktl, answering, tmp_path):
    (tmp_path / "rows.csv").write_text(GERMAN)
    ended = ktl("predict", "people", tmp_path / "rows.csv")
    assert ended.status == 0, ended.err
    assert json.loads(answering.requests[2][3]) == {"inputs": ROWS}
    assert "a comma as decimal sign" in ended.err


@pytest.mark.parametrize("income", ["52,000", "$52000", "52 000.0 $", "$52,000"])
def test_numbers_are_read_as_in_an_upload(ktl, scripted, monkeypatch, tmp_path, income):
    """Groups of digits, the column's unit, and a first line that names the delimiter."""
    monkeypatch.setenv("KTL_URL", scripted.url)
    model = json.loads(json.dumps(MODEL))
    (column,) = (
        each for each in model["signature"]["inputs"]["columns"] if each["name"] == "income"
    )
    column["unit"] = "$"
    for answer in (DEPLOYMENT, model, PREDICTION):
        scripted.answer(200, answer)
    lines = CSV.replace(",", ";").replace("52000", income)
    (tmp_path / "rows.csv").write_text(f"sep=;\n{lines}")
    ended = ktl("predict", "people", tmp_path / "rows.csv")
    assert ended.status == 0, ended.err
    assert json.loads(scripted.requests[2][3]) == {"inputs": ROWS}


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_encodings(ktl, answering, tmp_path, encoding):
    text = CSV.replace("Oslo", "Köln")
    (tmp_path / "rows.tsv").write_bytes(text.replace(",", "\t").encode(encoding))
    said = ("--encoding", encoding) if encoding == "cp1252" else ()
    ended = ktl("predict", "people", tmp_path / "rows.tsv", *said)
    assert ended.status == 0, ended.err
    assert json.loads(answering.requests[2][3])["inputs"][0]["city"] == "Köln"


@pytest.mark.parametrize("above", ["\n\n", "Applicants; of 2026\n\n", '"sep=;"\n', "sep=;\n\n"])
def test_names_are_found_as_in_an_upload(ktl, answering, tmp_path, above):
    """Below blank lines and titles, with spaces around them."""
    text = above + CSV.replace(",", ";").replace("income", " income ")
    (tmp_path / "rows.csv").write_text(text)
    ended = ktl("predict", "people", tmp_path / "rows.csv")
    assert ended.status == 0, ended.err
    assert json.loads(answering.requests[2][3]) == {"inputs": ROWS}


def test_a_minus_that_is_no_hyphen(ktl, answering, tmp_path):
    (tmp_path / "rows.csv").write_text(CSV.replace("52000", "\u221252\u2009000"))
    assert ktl("predict", "people", tmp_path / "rows.csv").status == 0
    assert json.loads(answering.requests[2][3])["inputs"][0]["income"] == -52000


def test_words_that_mean_nothing(ktl, answering, tmp_path):
    (tmp_path / "rows.csv").write_text(CSV.replace("52000", "?").replace("41.5", "n/a"))
    words = ("--missing", "?", "--missing", "n/a")
    assert ktl("predict", "people", tmp_path / "rows.csv", *words).status == 0
    rows = json.loads(answering.requests[2][3])["inputs"]
    assert [row["income"] for row in rows] == [None, None]
    assert [row["age"] for row in rows] == [40, None]


@pytest.mark.parametrize("text", ["nan", "inf", "1_000", "0x10", "1e400000000", "١٢"])
def test_what_is_no_number_in_an_upload_is_none_here(ktl, answering, tmp_path, text):
    (tmp_path / "rows.csv").write_text(CSV.replace("52000", text))
    ended = ktl("predict", "people", tmp_path / "rows.csv")
    assert ended.status == 2
    assert "the column `income` of the row that ends on line 2" in ended.err
    assert text not in ended.err


def test_another_encoding_is_named_by_line(ktl, answering, tmp_path):
    (tmp_path / "rows.csv").write_bytes(CSV.replace("Rome", "Köln").encode("cp1252"))
    ended = ktl("predict", "people", tmp_path / "rows.csv")
    assert ended.status == 2
    assert "got line 3 in another encoding; --encoding" in ended.err
    assert ktl("predict", "people", tmp_path / "rows.csv", "--decimal", ";").status == 2


def test_whole_numbers_of_a_category_lose_their_fraction(tmp_path):
    column = CategoryColumn.fit("stage", ["1", "2", "x"], [3, 2, 1])
    (tmp_path / "rows.csv").write_text("stage\n1.0\n2\n3.0\nx\n")
    rows, said = read(tmp_path / "rows.csv", TableInputs(columns=(column,)))
    assert [row["stage"] for row in rows] == ["1", "2", "3.0", "x"]
    assert said == []
