"""What predictions and explanations ask, of what people hold in their hands."""

import datetime
import json
from decimal import Decimal

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from app.client.ktl import asked

ROWS = [
    {"age": 51, "weight": 80.5, "sex": "f", "smokes": True, "seen": "2026-01-02T03:04:00"},
    {"age": None, "weight": None, "sex": None, "smokes": None, "seen": None},
]


def pandas_frame():
    return pd.DataFrame(
        {
            "age": pd.array([51, None], "Int64"),
            "weight": [80.5, np.nan],
            "sex": pd.Categorical(["f", None]),
            "smokes": pd.array([True, None], "boolean"),
            "seen": pd.to_datetime(["2026-01-02 03:04", None]),
        },
        index=pd.Index([7, 7], name="patient"),
    )


def pyarrow_table():
    moment = datetime.datetime(2026, 1, 2, 3, 4)
    rows = [ROWS[0] | {"weight": Decimal("80.5"), "seen": moment}, ROWS[1]]
    return pa.Table.from_pylist(rows)


def as_sent(inputs, top_k=None):
    """The body as a service reads it, through httpx."""
    request = asked.items(inputs, top_k, raw_scores=False)
    return json.loads(httpx.Request("POST", "http://localhost", **request).content)


@pytest.mark.parametrize("made", [pandas_frame, pyarrow_table, lambda: ROWS])
def test_rows_say_what_is_missing_and_when(made):
    assert as_sent(made()) == {"inputs": ROWS}


def test_rows_of_polars():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    moment = datetime.datetime(2026, 1, 2, 3, 4)
    frame = polars.DataFrame([ROWS[0] | {"seen": moment}, ROWS[1]])
    assert as_sent(frame) == {"inputs": ROWS}
    assert as_sent(frame["sex"]) == {"inputs": ["f", None]}
    with pytest.raises(TypeError, match=r"\.collect\(\)"):
        as_sent(frame.lazy())


def test_rows_of_numpys_values():
    row = {
        "age": np.int64(51),
        "weight": np.float32(80.5),
        "sex": np.str_("f"),
        "smokes": np.bool_(True),
        "seen": np.datetime64("2026-01-02T03:04:00"),
    }
    nothing = row | {"weight": np.float32("nan"), "seen": np.datetime64("NaT"), "sex": pd.NA}
    assert as_sent([row, nothing])["inputs"] == [
        ROWS[0],
        ROWS[0] | {"weight": None, "seen": None, "sex": None},
    ]


@pytest.mark.parametrize(
    "texts",
    [
        ["good", "bad"],
        np.array(["good", "bad"]),
        np.array(["good", "bad"], dtype=object),
        pd.Series(["good", "bad"]),
        pd.Series(["good", "bad"]).to_numpy(),
        pa.chunked_array([["good", "bad"]]),
    ],
)
def test_texts_are_a_list_or_a_column(texts):
    assert as_sent(texts) == {"inputs": ["good", "bad"]}
    assert as_sent(texts, top_k=2) == {"inputs": ["good", "bad"], "top_k": 2}


def test_a_text_that_is_missing_is_null():
    assert as_sent(pd.Series(["good", np.nan], dtype=object)) == {"inputs": ["good", None]}


def test_no_top_k_is_no_zero():
    """The service says what is wrong with it."""
    assert as_sent([[1]], top_k=0)["top_k"] == 0
    assert "top_k" not in as_sent([[1]])


def test_columns_of_one_name_are_refused():
    with pytest.raises(ValueError, match="different names, got several age"):
        as_sent(pd.DataFrame([[1, 2]], columns=["age", "age"]))
    with pytest.raises(ValueError, match="different names, got several age"):
        as_sent(pa.table([[1], [2]], names=["age", "age"]))


def test_a_frame_without_rows_asks_about_none():
    assert as_sent(pandas_frame().head(0)) == {"inputs": []}


def test_items_of_several_parts(tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"bytes")
    item = {"photo": np.zeros((2, 2), np.uint8), "other": picture, "row": pandas_frame().iloc[0]}
    assert as_sent([item])["inputs"] == [
        {"photo": [[0, 0], [0, 0]], "other": {"b64": "Ynl0ZXM="}, "row": ROWS[0]}
    ]


@pytest.mark.parametrize("one", [ROWS[0], "good", b"good", 7])
def test_one_item_is_to_stand_in_a_list(one):
    with pytest.raises(TypeError, match="put it in a list"):
        as_sent(one)


def test_one_row_is_explained():
    frame = pandas_frame()
    for row in (frame.iloc[0], frame.head(1), ROWS[0]):
        assert asked.one_item(row, None) == {"inputs": [ROWS[0]]}
    with pytest.raises(TypeError, match="expected one item, got a data frame of 2 rows"):
        asked.one_item(frame, None)
