"""One column that names several labels in each row."""

from pathlib import Path
from typing import Any

import pytest

from app.errors import WorkFailure
from tests.intake.archives import take
from tests.intake.tables import csv_text, kinds_of, rows_of, take_csv, x_of, y_of
from tests.picture_files import png, zipped

FINDINGS = ["Mass|Effusion", "None", "Mass", " Effusion | Mass ", "Effusion"] * 4
TARGET = {"column": "finding", "separator": "|", "none": "None"}
# A row for each of them, in the order of the rows in a split that is cut
OF = {"Mass|Effusion": [1, 1], "None": [0, 0], "Mass": [0, 1], "Effusion": [1, 0]}


def text(**columns: Any) -> str:
    return csv_text(finding=FINDINGS, label=None, **columns)


def test_each_label_becomes_a_column(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, text(), target=TARGET)
    assert (taken.schema.task.kind, taken.schema.task.names) == (
        "multi_label",
        ("Effusion", "Mass"),
    )
    kinds = kinds_of(taken)
    assert "finding" not in kinds
    assert kinds["Mass"] == kinds["Effusion"] == ("flag", "label")
    heights = {f"{1.5 + place / 100:.2f}": finding for place, finding in enumerate(FINDINGS)}
    stored = rows_of(taken)
    both = [*y_of(taken).tolist(), *y_of(taken, "test").tolist()]
    expected = [
        OF.get(heights[f"{height:.2f}"].strip(), [1, 1]) for height in stored["height"].to_pylist()
    ]
    assert both == expected
    told = " ".join(taken.profile["files"])
    assert "`finding` names labels with `|` between them: it became" in told


def test_an_empty_field_is_not_known_and_a_word_for_none_is(tmp_path: Path) -> None:
    finding = ["", *FINDINGS[1:]]
    taken = take_csv(tmp_path, csv_text(finding=finding, label=None), target=TARGET)
    y = y_of(taken)
    assert (y == -1).all(axis=1).sum() == 1
    assert (y == 0).all(axis=1).sum() >= 2


def test_without_a_word_for_none_it_is_a_label(tmp_path: Path) -> None:
    taken = take_csv(tmp_path, text(), target={"column": "finding", "separator": "|"})
    assert taken.schema.task.names == ("Effusion", "Mass", "None")


def test_a_training_and_a_test_file(tmp_path: Path) -> None:
    files = {"train.csv": text().encode(), "test.csv": text(height=[3] * 20).encode()}
    taken = take(tmp_path, files, target=TARGET)
    assert y_of(taken, "test").tolist() == [OF.get(each.strip(), [1, 1]) for each in FINDINGS]
    assert len(x_of(taken)) == 20


def test_of_texts(tmp_path: Path) -> None:
    said = [f"what is written of film number {place}" for place in range(20)]
    taken = take_csv(
        tmp_path,
        csv_text(said=said, finding=FINDINGS, label=None, height=None, city=None),
        target=TARGET,
    )
    assert taken.schema.inputs.modality == "text"
    assert taken.schema.task.names == ("Effusion", "Mass")


def test_of_pictures(tmp_path: Path) -> None:
    names = [f"{place}.png" for place in range(20)]
    rows = "file_name,label\n" + "".join(f"{n},{f}\n" for n, f in zip(names, FINDINGS, strict=True))
    files = {name: png(place) for place, name in enumerate(names)} | {"metadata.csv": rows.encode()}
    taken = take(tmp_path, {"a.zip": zipped(files)}, target={"separator": "|", "none": "None"})
    assert taken.schema.task.names == ("Effusion", "Mass")
    assert y_of(taken).sum() + y_of(taken, "test").sum() == 4 * 6


@pytest.mark.parametrize(
    ("columns", "target", "reason", "words"),
    [
        ({}, {**TARGET, "separator": ";"}, "one_class", "got it in no row"),
        ({"Mass": [1] * 20}, TARGET, "duplicate_column", "got `Mass`"),
        ({"finding": ["a|b"] * 19 + ["a|None"]}, TARGET, "wrong_type", "in line 21"),
        ({"finding": ["a|b"] * 19 + ["|"]}, TARGET, "wrong_type", "got none in line 21"),
        ({"finding": ["a|a"] * 20}, TARGET, "one_class", "got 1"),
        ({"finding": ["a|b"] * 19 + [f"a|{'c' * 201}"]}, TARGET, "name_too_long", "at most 200"),
    ],
)
def test_refused(
    tmp_path: Path, columns: dict[str, Any], target: dict[str, Any], reason: str, words: str
) -> None:
    with pytest.raises(WorkFailure) as refused:
        take_csv(
            tmp_path, csv_text(**{"finding": FINDINGS, "label": None, **columns}), target=target
        )
    assert refused.value.reason == reason
    assert words in refused.value.detail


def test_numbers_name_no_labels(tmp_path: Path) -> None:
    rows = "".join(f'{{"height": {place}, "finding": {place % 3}}}\n' for place in range(20))
    with pytest.raises(WorkFailure, match="expected text in the column `finding`"):
        take(tmp_path, {"a.jsonl": rows.encode()}, target=TARGET)


def test_advice_leads_out(tmp_path: Path) -> None:
    """Where one says that there are several labels, and where one says nothing."""
    with pytest.raises(WorkFailure) as refused:
        take_csv(tmp_path, text(), target={"column": "finding"}, task="multi_label")
    said = '`target`: {"column": "finding", "separator": "|"}'
    assert said in refused.value.detail
    finding = ["a|b", "a", "b", "b|a"] * 5
    classes = take_csv(
        tmp_path, csv_text(finding=finding, label=None), target={"column": "finding"}
    )
    told = " ".join(classes.profile["warnings"])
    assert '2 classes are made of others, as `a|b`: `target`: {"separator": "|"}' in told
    several = take_csv(
        tmp_path,
        csv_text(finding=finding, label=None),
        target={"column": "finding", "separator": "|"},
    )
    assert several.schema.task.names == ("a", "b")
