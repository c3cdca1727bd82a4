"""Rows as JSON has them, and back."""

from typing import Any

import numpy as np
import pytest

from app.errors import Invalid
from app.inputs.column_distance import comparable
from app.inputs.columns import CategoryColumn, DateColumn, FlagColumn, NumberColumn
from app.inputs.table import TableInputs
from tests.inputs.tables import ROWS, TABLE


def test_rows_come_back_as_they_were_sent() -> None:
    decoded = TABLE.decode(ROWS, "#/instances")
    assert decoded["row"].shape == (4, 4)
    assert decoded["row"].dtype == np.float32
    shown = TABLE.preview(decoded)
    assert shown == [ROWS[0], ROWS[1], {**ROWS[2], "city": "(other)"}, ROWS[3]]
    again = TABLE.decode(shown, "#/instances")
    assert np.array_equal(again["row"], decoded["row"], equal_nan=True)


def test_the_order_of_names_means_nothing() -> None:
    turned = [dict(reversed(row.items())) for row in ROWS]
    assert np.array_equal(
        TABLE.decode(turned, "")["row"], TABLE.decode(ROWS, "")["row"], equal_nan=True
    )


@pytest.mark.parametrize(
    ("row", "code", "pointer", "said"),
    [
        ([1, 2, 3, 4], "not_a_row", "#/instances/1", "`age`, `smokes`, `city`, `seen`"),
        ({**ROWS[0], "age": "57"}, "invalid_value", "#/instances/1/age", "a number"),
        ({**ROWS[0], "age": True}, "invalid_value", "#/instances/1/age", "a number"),
        ({**ROWS[0], "smokes": "maybe"}, "invalid_value", "#/instances/1/smokes", "true, false"),
        ({**ROWS[0], "city": [1]}, "invalid_value", "#/instances/1/city", "text"),
        ({**ROWS[0], "seen": "yesterday"}, "invalid_value", "#/instances/1/seen", "2026-11-26"),
        ({**ROWS[0], "secret": 1}, "unknown_column", "#/instances/1/secret", "no columns but"),
        (
            {name: value for name, value in ROWS[0].items() if name != "seen"},
            "missing_column",
            "#/instances/1/seen",
            "null where its value is missing",
        ),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(
    row: Any, code: str, pointer: str, said: str
) -> None:
    with pytest.raises(Invalid) as raised:
        TABLE.decode([ROWS[0], row], "#/instances")
    (finding,) = raised.value.findings
    assert (raised.value.code, finding.pointer) == (code, pointer)
    assert said in finding.detail
    assert "secret" not in finding.detail.replace("secret`", "")
    assert "yesterday" not in finding.detail


def test_names_are_escaped_in_pointers() -> None:
    table = TableInputs(columns=(NumberColumn(name="a/b~c", edges=(0, 1)),))
    with pytest.raises(Invalid) as raised:
        table.decode([{"a/b~c": "x"}], "#/instances")
    assert raised.value.findings[0].pointer == "#/instances/0/a~1b~0c"


def test_it_travels_as_json() -> None:
    again = TableInputs.model_validate_json(TABLE.model_dump_json())
    assert again == TABLE
    assert hash(again) == hash(TABLE)
    kinds = [type(column) for column in again.columns]
    assert kinds == [NumberColumn, FlagColumn, CategoryColumn, DateColumn]


def test_a_network_sees_as_many_numbers_as_its_layout_says() -> None:
    assert TABLE.layout == (1, 1, 17 + 3 + 4 + 21)
    assert TABLE.tokens == 5  # the date has its phases too


def test_sketches_of_a_shifted_table_are_apart() -> None:
    rng = np.random.default_rng(0)
    columns = (NumberColumn.fit("x", rng.normal(size=500)),)
    table = TableInputs(columns=columns)
    here, there = rng.normal(size=(300, 1)), rng.normal(2, 1, size=(300, 1))
    rows = [table.sketch({"row": rows.astype(np.float32)}) for rows in (here, there)]
    one, other = comparable(table, table, {"x": "x"}, (rows[0], rows[1]))
    assert one.shape == (300, 2)
    assert 0 <= one.min() <= one.max() <= 1
    assert one[:, 0].mean() == pytest.approx(0.5, abs=0.05)
    assert other[:, 0].mean() > 0.8
