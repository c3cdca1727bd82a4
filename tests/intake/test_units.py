"""Numbers with their unit, rows without any value, files that say their delimiter."""

from pathlib import Path

import pytest

from app.errors import WorkFailure
from tests.intake.archives import take
from tests.intake.tables import LIMITS, csv_text, kinds_of, rows_of, take_csv, x_of

TENTHS = [place / 10 + 3 for place in range(20)]


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("{:.1f}%", "%"),
        ("{:.1f} %", "%"),
        ("${:.1f}", "$"),
        ("€ {:.1f}", "€"),
        ("{:.1f} EUR", "EUR"),
        ("{:.1f}mg/dl", "mg/dl"),
        ("{:.1f} °C", "°C"),
        ("-{:.1f}kg", "kg"),
    ],
)
def test_the_unit_of_numbers_is_kept_apart(tmp_path: Path, written: str, unit: str) -> None:
    taken = take_csv(tmp_path, csv_text(dose=[written.format(value) for value in TENTHS]))
    assert kinds_of(taken)["dose"] == ("number", "feature")
    (column,) = (column for column in taken.schema.columns if column.name == "dose")
    assert column.unit == unit
    sign = -1 if written.startswith("-") else 1
    assert sorted(rows_of(taken)["dose"].to_pylist()) == sorted(sign * v for v in TENTHS)
    assert any(f"`dose` ({unit})" in sentence for sentence in taken.profile["files"])


def test_groups_of_digits_and_missing_words_stand_beside_a_unit(tmp_path: Path) -> None:
    prices = [f'"${1000 + 7 * place:,}.50"' for place in range(19)] + ["n/a"]
    taken = take_csv(tmp_path, csv_text(price=prices), missing=["n/a"])
    found = rows_of(taken)["price"].to_pylist()
    assert found.count(None) == 1
    assert max(value for value in found if value is not None) == 1126.5


def test_a_comma_may_be_the_decimal_sign_of_numbers_with_a_unit(tmp_path: Path) -> None:
    lines = [
        f"{str(value).replace('.', ',')} %;{'ab'[place % 2]}" for place, value in enumerate(TENTHS)
    ]
    taken = take_csv(tmp_path, "\n".join(["share;label", *lines, ""]))
    assert sorted(rows_of(taken)["share"].to_pylist()) == TENTHS


@pytest.mark.parametrize(
    "values",
    [
        [f"I{place % 5 + 10}" for place in range(20)],  # codes, not a unit before a number
        [f"{place % 5}{'ab'[place % 2]}" for place in range(20)],  # two words
        [f"00{place % 5}kg" for place in range(20)],  # a leading zero is a code's
        [f"{place % 4}x{place % 3}" for place in range(20)],
    ],
)
def test_what_is_no_number_with_one_unit_stays_a_category(
    tmp_path: Path, values: list[str]
) -> None:
    assert kinds_of(take_csv(tmp_path, csv_text(code=values)))["code"] == ("category", "feature")


def test_the_spec_may_take_them_for_categories(tmp_path: Path) -> None:
    text = csv_text(dose=[f"{place % 4} mg" for place in range(20)])
    taken = take_csv(tmp_path, text, columns={"dose": "category"})
    assert rows_of(taken)["dose"].to_pylist()[0].endswith(" mg")


def test_labels_have_their_unit_too(tmp_path: Path) -> None:
    text = csv_text(label=None, price=[f"{value * 31:.2f} €" for value in TENTHS])
    taken = take_csv(tmp_path, text, target={"column": "price"}, task="regression")
    assert taken.schema.task.unit == "€"


def test_two_files_have_one_unit(tmp_path: Path) -> None:
    files = {
        "train.csv": csv_text(dose=[f"{value}%" for value in TENTHS]).encode(),
        "test.csv": csv_text(dose=TENTHS).encode(),
    }
    with pytest.raises(WorkFailure) as caught:
        take(tmp_path, files, LIMITS)
    assert "got `%` in `train.csv` and no unit in `test.csv`" in str(caught.value)


def test_rows_without_any_value_are_left_out_by_line(tmp_path: Path) -> None:
    text = csv_text() + ",,\n , ,\n"
    taken = take_csv(tmp_path, text)
    assert sum(taken.schema.splits.values()) == 20
    assert any("2 rows" in each and "line 22" in each for each in taken.profile["files"])
    with pytest.raises(WorkFailure, match="blank ones alone"):
        take_csv(tmp_path, "height,label\n,\n,\n")


def test_a_first_line_may_say_the_delimiter(tmp_path: Path) -> None:
    text = "sep=;\r\n" + csv_text().replace(",", ";")
    taken = take_csv(tmp_path, text)
    assert len(x_of(taken)) + taken.schema.splits["test"] == 20
    with pytest.raises(WorkFailure, match="line 23"):
        take_csv(tmp_path, text + "1;2;3;4\n")
