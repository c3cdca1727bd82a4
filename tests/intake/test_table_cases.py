"""Public bug reports about tables, as files beside the checkout: what the intake makes of each."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import WorkFailure
from app.inputs.text import texts_of
from tests.intake.tables import LIMITS, kinds_of, rows_of, take_csv, x_of, y_of
from worker.intake.ingested import IngestedDataset

CASES = Path(__file__).parents[3] / "shared" / "cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")


def of(folder: Path, name: str, **spec: Any) -> IngestedDataset:
    return take_csv(folder, (CASES / f"case_{name}").read_bytes(), name, LIMITS, **spec)


@pytest.mark.parametrize("name", ["utf8", "utf8_mark", "gb18030", "utf16_tabs"])
def test_one_file_in_four_encodings(tmp_path: Path, name: str) -> None:
    taken = of(tmp_path, f"39_{name}.csv", columns={"text": "category"})
    assert taken.schema.classes == ("好评", "差评")
    rows = rows_of(taken).select(["label", "text"]).to_pylist()
    truth = json.loads((CASES / "case_39_rows.json").read_text())
    assert sorted([each["label"], each["text"]] for each in rows) == sorted(truth)


def test_texts_in_four_encodings(tmp_path: Path) -> None:
    names = ("utf8", "utf8_mark", "gb18030", "utf16_tabs")
    taken = [of(tmp_path, f"39_{name}.csv") for name in names]
    assert [each.schema.inputs.modality for each in taken] == ["text"] * 4
    first = x_of(taken[0])
    assert all(np.array_equal(first, x_of(each)) for each in taken[1:])
    assert taken[0].profile["texts"]["scripts"]["train"]["Han"] > 0.9


def test_mixed_encodings(tmp_path: Path) -> None:
    with pytest.raises(WorkFailure, match="line 42 is not in UTF-8"):
        of(tmp_path, "39_mixed.csv")


def test_words_that_are_answers(tmp_path: Path) -> None:
    taken = of(tmp_path, "41_missing.csv", target={"column": "outcome"}, unlabelled="leave_out")
    country, allergy, age = taken.schema.inputs.columns
    assert set(country.values) == {"NA", "NC", "NE", "DE"}
    assert set(allergy.values) == {"None", "nuts", "null", "N/A"}
    assert age.kind == "number"
    rows = rows_of(taken)
    assert rows["country"].null_count == rows["allergy"].null_count == 0
    missing = taken.profile["columns"]["age"]["missing"]
    lines = (CASES / "case_41_missing.csv").read_text().splitlines()[1:]
    labelled = [line.split(",") for line in lines if line.split(",")[3]]
    assert sum(missing.values()) == sum(not line[2] for line in labelled)
    assert taken.profile["left_out"] == {"all rows": 2}
    assert rows["country"].to_pylist().count("NA") == sum(line[0] == "NA" for line in labelled)


def test_houses(tmp_path: Path) -> None:
    expected = json.loads((CASES / "case_43_expected.json").read_text())
    price = of(tmp_path, "43_houses.csv", target={"column": "price"})
    assert price.schema.task.kind == "regression"
    values = np.concatenate([y_of(price), y_of(price, "test")]).astype(np.float64)
    assert values.mean() == pytest.approx(expected["mean_price"])
    assert "taken for quantities" in " ".join(price.profile["warnings"])
    rating = of(tmp_path, "43_houses.csv", target={"column": "rating"})
    assert rating.schema.classes == ("1", "2", "3", "4", "5")
    quantity = of(tmp_path, "43_houses.csv", target={"column": "rating", "task": "regression"})
    assert quantity.schema.task.kind == "regression"


def test_rows_as_they_are_asked(tmp_path: Path) -> None:
    taken = of(tmp_path, "44_train.csv")
    assert kinds_of(taken)["city"] == ("category", "feature")
    good = json.loads((CASES / "case_44_good.json").read_text())["inputs"]
    reordered = json.loads((CASES / "case_44_reordered.json").read_text())["inputs"]
    one, other = (taken.schema.inputs.decode(each, "#/inputs") for each in (good, reordered))
    assert np.array_equal(one["row"], other["row"])
    assert x_of(taken).shape == (96, 3)


def test_texts(tmp_path: Path) -> None:
    taken = of(tmp_path, "45_texts.jsonl")
    expected = json.loads((CASES / "case_45_expected.json").read_text())
    assert taken.schema.inputs.modality == "text"
    without = len(expected["no_text"])
    assert sum(taken.schema.splits.values()) == expected["rows"] - without
    # A blank line stands below the first object, and lines are counted from 1.
    lines = [f"line {row + 2}" for row in expected["no_text"]]
    assert taken.profile["texts"]["without_text"] == {"rows": without, "places": lines}
    unlabelled = sum(taken.schema.splits.values()) - sum(taken.profile["labelled"].values())
    assert unlabelled == len(expected["no_label"])
    assert sum(taken.profile["texts"]["cut"].values()) == 1  # of 24,000 letters
    texts = [*texts_of(x_of(taken)), *texts_of(x_of(taken, "test"))]
    assert "😀👍🏽 شكرا 谢谢 ab" in texts  # the NUL is gone
    rows = rows_of(taken)["text"].to_pylist()  # as they came; asked about, they are the same
    asked = taken.schema.inputs.decode(rows, "#/inputs")["text"]
    assert np.array_equal(asked, np.concatenate([x_of(taken), x_of(taken, "test")]))
