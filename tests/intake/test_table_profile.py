"""What a user is told of a table."""

from pathlib import Path

import numpy as np

from tests.intake.tables import csv_text, take_csv

ROWS = 100
LABELS = ["a", "b"] * 50
SHUFFLED = np.random.default_rng(0).permutation(ROWS)


def told(folder: Path, **given: object) -> str:
    spec = given.pop("spec", {})
    columns = {"height": SHUFFLED / 7, "label": LABELS, **given}
    text = csv_text(ROWS, **columns)  # type: ignore[arg-type]
    return "\n".join(take_csv(folder, text, **spec).profile["warnings"])  # type: ignore[arg-type]


def test_a_plain_table_has_little_to_tell(tmp_path: Path) -> None:
    assert told(tmp_path).split("\n") == [
        "The column `label` is taken for the labels: its name says that it holds the labels. "
        '`target`: {"column": …} in the spec says otherwise.',
        "The data have no test split: 20 items were cut from them, 20% of each class, always the "
        "same ones.",
    ]


def test_counts_of_columns(tmp_path: Path) -> None:
    text = csv_text(city=["Lima", "", "Rome", "Rome"] * 5, height=range(1, 40, 2))
    profile = take_csv(tmp_path, text, split={"where": {"height": [39, 37]}}).profile
    assert profile["columns"]["city"] == {
        "missing": {"train": 5, "test": 0},
        "values": 2,
        "commonest": ["Rome", "Lima"],
    }
    ranged = take_csv(tmp_path, text, split={"where": {"city": ["Lima"]}}).profile["columns"]
    assert ranged["height"]["range"] == {"train": [3.0, 39.0], "test": [1.0, 33.0]}
    assert ranged["city"] == {"missing": {"train": 5, "test": 0}}


def test_a_column_that_tells_the_label(tmp_path: Path) -> None:
    says = "alone tells 100.0% of the labels"
    assert f"`leak` {says}" in told(tmp_path, leak=["x", "y"] * 50)
    assert f"`leak` {says}" in told(tmp_path, leak=[place % 2 + 0.5 for place in range(ROWS)])
    price = [place * 1.37 for place in SHUFFLED]
    said = told(tmp_path, label=price, height=[place * 2.7 for place in SHUFFLED], city=None)
    assert "`height` alone tells" in said


def test_zero_that_may_mean_missing(tmp_path: Path) -> None:
    chol = [0 if place % 10 == 0 else 150 + SHUFFLED[place] for place in range(ROWS)]
    assert "10 of 100 values of the column `height` are 0, and no other is below 15" in told(
        tmp_path, height=chol
    )
    cured = {"columns": {"height": {"missing": ["0"]}}}
    assert "are 0" not in told(tmp_path, height=chol, spec=cured)
    assert "are 0" not in told(tmp_path, height=range(ROWS), city=SHUFFLED / 3)


def test_names_of_values_that_are_near(tmp_path: Path) -> None:
    said = told(tmp_path, city=["Rome", "rome ", "Oslo", "Lima"] * 25)
    assert "Values of the column `city` that differ only in case" in said


def test_splits_that_differ(tmp_path: Path) -> None:
    fold = ["train"] * 80 + ["test"] * 20
    spec = {"split": {"column": "fold"}}
    height = [*(SHUFFLED[:80] / 7), *(SHUFFLED[80:] / 7 + 50)]
    said = told(tmp_path, fold=fold, height=height, spec=spec)
    assert "`height` differs between training and test rows" in said
    city = ["Lima", "Oslo"] * 40 + ["Rome"] * 20
    said = told(tmp_path, fold=fold, city=city, spec=spec)
    assert "20 test rows have values of the column `city` that no training row has" in said
    assert "`city` differs between training and test rows: 100% of the rows" in said
    some = [*range(80), *[""] * 20]
    said = told(
        tmp_path, fold=fold, height=[f"{each}.5" if each else "" for each in some], spec=spec
    )
    assert "no value in 0% of the training rows and 100% of the test rows" in said.replace(
        "1% of the training", "0% of the training"
    )


def test_rows_that_repeat(tmp_path: Path) -> None:
    fold = ["train"] * 80 + ["test"] * 20
    height = [place / 7 for place in range(ROWS)]
    height[1], height[99], height[98] = height[0], height[5], height[4]
    city = ["Rome"] * 50 + ["Oslo"] * 50
    city[99], city[98] = city[5], city[4]
    labels = [*LABELS[:98], "b", "b"]
    text = csv_text(ROWS, fold=fold, height=height, city=city, label=labels)
    profile = take_csv(tmp_path, text, split={"column": "fold"}).profile
    assert profile["duplicates"] == {
        "train": 1,
        "test": 0,
        "across_splits": 2,
        "contradicting": {"within": {"train": 1, "test": 0}, "across_splits": 1},
    }
    said = "\n".join(profile["warnings"])
    assert "2 test rows stand in the training split too" in said
    assert "1 test rows stand in the training split under another label" in said


def test_labels_that_are_doubted(tmp_path: Path) -> None:
    said = told(tmp_path, label=["a", "b", "", "unknown"] * 25)
    assert "25 of 85 items of train have no label" in said
    assert "The label `unknown`" in said


def test_a_category_with_more_values_than_have_a_place(tmp_path: Path) -> None:
    columns = {"city": [f"c{place % 300}" for place in range(900)], "label": LABELS * 9}
    text = csv_text(900, height=[place / 7 for place in range(900)], **columns)
    taken = take_csv(tmp_path, text)
    assert len(taken.schema.inputs.columns[1].values) == 256
    assert "beyond the 256 commonest ones" in "\n".join(taken.profile["warnings"])


def test_a_cut_of_tiny_classes_says_what_it_came_to(tmp_path: Path) -> None:
    """Each class has an item in both splits: of three one, and that is a third."""
    taken = take_csv(tmp_path, csv_text(30, label=[f"c{row % 10}" for row in range(30)]))
    assert taken.schema.splits == {"train": 20, "test": 10}
    assert any(
        "10 items were cut from them, 20% of each class as nearly as whole ones can be parted, "
        "33% of all" in each
        for each in taken.profile["warnings"]
    )


def test_a_row_that_sums_up_the_others_is_told_of(tmp_path: Path) -> None:
    region = [f"r{row}" for row in range(19)]
    for last, is_told in (("Total:", True), ("r19", False), ("totally", False)):
        held = {"region": [*region, last], "cases": [*range(19), 171], "y": ["a", "b"] * 10}
        text = csv_text(height=None, city=None, label=None, **held)
        told = [w for w in take_csv(tmp_path, text).profile["warnings"] if "sums up" in w]
        assert bool(told) == is_told
        if is_told:
            assert "line 21, has `Total:` in the column `region`" in told[0]
