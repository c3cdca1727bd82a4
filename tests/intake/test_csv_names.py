"""What stands above the names of columns in CSV files, and around them."""

from pathlib import Path

import pytest

from app.errors import WorkFailure
from app.inputs.csv_rule import place_of_names
from tests.intake.tables import csv_text, kinds_of, rows_of, take_csv

PLAIN = csv_text()
SEMICOLONS = PLAIN.replace(",", ";")
SPACED = "\n".join(",".join(f" {field} " for field in line.split(",")) for line in PLAIN.split())


@pytest.mark.parametrize(
    "text",
    [
        f"\n\n{PLAIN}",
        f"\r\n{PLAIN}".replace("\n", "\r\n"),
        f"\n\ufeff{PLAIN}",
        f"Patients of 2026\n\n{PLAIN}",
        f"Patients of 2026,,\n,,\n{PLAIN}",
        f'"Patients,\nof 2026"\n{PLAIN}',
        f"# exported, with care\n# twice\n{PLAIN}",
        f"sep=;\n\n{SEMICOLONS}",
        f'"sep=;"\n{SEMICOLONS}',
        f"sep=;\n{SEMICOLONS}".replace("\n", "\r"),
        f"Patients of 2026\n{PLAIN}".replace("\n", "\r"),
    ],
)
def test_what_stands_above_the_names_is_no_row(tmp_path: Path, text: str) -> None:
    taken = take_csv(tmp_path, text)
    assert kinds_of(taken)["height"] == ("number", "feature")
    assert rows_of(taken).equals(rows_of(take_csv(tmp_path, PLAIN)))
    told = "what stands above them was left out" in " ".join(taken.profile["files"])
    assert told == ("Patients" in text or "#" in text)


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(WorkFailure, match="begins on line 26"):
        take_csv(tmp_path, f"Patients\n\nof 2026\n\n{PLAIN}1,2\n")
    with pytest.raises(WorkFailure, match="the first in line 24"):
        take_csv(tmp_path, f"Patients\n\n{PLAIN}x,Oslo,a\n", columns={"height": "number"})


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([["label", "", ""], ["a", "1", "2"], ["b", "3", "4"]], 0),  # names of which two are blank
        ([["", "label"], ["1", "a"], ["2", "b"]], 0),  # an index
        ([["label"], ["1", "2"], ["3", "4"]], 0),  # a damaged line of names
        ([["a"], ["b"], ["c"]], 0),
        ([["Sales"], ["place", "1990", "1991"], ["Oslo", "1", "2"]], 1),  # years are names
        ([], 0),
    ],
)
def test_names_that_are_doubtful_stay_where_they_are(rows: list[list[str]], place: int) -> None:
    assert place_of_names(rows) == place


def test_spaces_around_names(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, SPACED, target={"column": "label"})
    assert list(kinds_of(taken)) == ["height", "city", "label"]
    assert "Spaces around names of columns were left out." in taken.profile["files"]
    with pytest.raises(WorkFailure, match="`height` more than once"):
        take_csv(tmp_path, PLAIN.replace("city", "height "))


def test_a_column_without_a_name_gets_one_that_no_other_has(tmp_path: Path) -> None:
    text = PLAIN.replace("height", "", 1).replace("city", "column_1", 1)
    assert list(kinds_of(take_csv(tmp_path, text))) == ["column_1_", "column_1", "label"]


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        (PLAIN.replace("\n", ",\n").replace(",\n", "\n", 1), "end the line of names with one too"),
        (f"{PLAIN}20 rows\n", "take it out where it is a note"),
        (f"{PLAIN}1.5,Rome, Italy,a\n", "put quotes around a field"),
        (
            f'{PLAIN}1.5, "Rome, Italy", a\n',
            "leave out the spaces between a delimiter and the quote",
        ),
        ("patients\n1,2\n3,4\n", "write the names of all columns above"),
        (PLAIN.replace(",", "^"), '`csv`: {"delimiter": …}'),
        ("label\na\nb\na\nb\n", '`csv`: {"delimiter": …}'),
        ("height,city,label", "expected rows below the names of columns"),
    ],
)
def test_what_to_do_is_said(tmp_path: Path, text: str, cure: str) -> None:
    with pytest.raises(WorkFailure) as refused:
        take_csv(tmp_path, text)
    assert cure in refused.value.detail
    if '{"delimiter"' in cure and "^" in text:  # and it leads out
        assert take_csv(tmp_path, text, csv={"delimiter": "^"}).schema.splits["test"] == 4
