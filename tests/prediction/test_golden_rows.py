"""The gate of a model of a table tests its decoder too."""

from pathlib import Path

import numpy as np
import pytest

from app.inputs.columns import CategoryColumn, NumberColumn
from app.inputs.table import TableInputs
from app.prediction.sessions import LoadFailed, Session, load
from app.tasks.classification import Classification
from tests.prediction.tables import CLASSES, INPUTS, NUMBERS, write_golden, write_graph

TASK = Classification(classes=CLASSES)


def loaded(folder: Path, inputs: TableInputs = INPUTS, **changed: object) -> Session:
    write_graph(folder / "model.onnx")
    write_golden(folder / "golden.npz", INPUTS, NUMBERS, **changed)
    return load(folder / "model.onnx", folder / "golden.npz", inputs, TASK)


def as_bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def test_a_graph_whose_decoder_reads_the_golden_rows_as_they_were_is_loaded(tmp_path: Path) -> None:
    assert loaded(tmp_path).shape == (5,)


def test_another_order_of_categories_is_refused(tmp_path: Path) -> None:
    """The graph was trained with Oslo as 1."""
    cities = CategoryColumn(name="city", values=("Oslo", "Lima", "Rome"))
    other = INPUTS.model_copy(update={"columns": (INPUTS.columns[0], cities, *INPUTS.columns[2:])})
    with pytest.raises(LoadFailed, match="to be decoded as they were"):
        loaded(tmp_path, other)


def test_columns_of_other_names_are_refused(tmp_path: Path) -> None:
    renamed = NumberColumn(name="years", edges=(18.0, 78.0))
    other = INPUTS.model_copy(
        update={"columns": (*INPUTS.columns[:2], renamed, *INPUTS.columns[3:])}
    )
    with pytest.raises(LoadFailed, match="that can be decoded, got: expected the column `years`"):
        loaded(tmp_path, other)


@pytest.mark.parametrize("raw", ["", "{", "[]", "5", '[{"income": 1}]'])
def test_golden_rows_that_are_none_are_refused(tmp_path: Path, raw: str) -> None:
    with pytest.raises(LoadFailed, match="golden inputs"):
        loaded(tmp_path, raw=as_bytes(raw))


def test_a_package_without_raw_goldens_is_loaded(tmp_path: Path) -> None:
    """As those of earlier releases."""
    write_graph(tmp_path / "model.onnx")
    write_golden(tmp_path / "golden.npz", INPUTS, NUMBERS)
    with np.load(tmp_path / "golden.npz") as stored:
        kept = {name: stored[name] for name in stored if name != "raw"}
    np.savez(tmp_path / "golden.npz", **kept)
    assert load(tmp_path / "model.onnx", tmp_path / "golden.npz", INPUTS, TASK).chunk_rows > 1


def test_answers_off_by_little_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadFailed, match="of the trainer's"):
        loaded(tmp_path, probabilities=np.full((3, 2), 0.5, np.float32))
