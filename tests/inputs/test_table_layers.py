"""What networks see of a table, by hand; the same of the saved archive and of the ONNX graph."""

from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from app.inputs.columns import (
    ABSENT,
    BINS,
    CategoryColumn,
    Column,
    DateColumn,
    FlagColumn,
    NumberColumn,
)
from app.inputs.table import TableInputs
from tests.inputs.tables import ROWS, TABLE
from worker.inputs import layers_of
from worker.packaging.conversion import convert

NAN = float("nan")


def seen(columns: tuple[Column, ...], rows: list[list[float]]) -> dict[str, np.ndarray]:
    layers = layers_of(TableInputs(columns=columns), None)
    found = layers.seen({"row": tf.constant(rows, tf.float32)})
    return {name: tensor.numpy() for name, tensor in found.items()}


def parts(*first: float, missing: float = 0) -> list[float]:
    return [*first, *[0.0] * (BINS - len(first)), missing]


def test_numbers_are_written_between_their_edges() -> None:
    column = NumberColumn(name="age", edges=(20, 40, 60, 80))
    found = seen((column,), [[20], [30], [40], [75], [-1e37], [1e37], [NAN]])
    assert list(found) == ["numbers"]
    wanted = [(0,), (0.5,), (1,), (1, 1, 0.75), (0,), (1, 1, 1)]
    assert found["numbers"][:, 0].tolist() == [*(parts(*each) for each in wanted), parts(missing=1)]


def test_what_was_never_missing_is_in_the_middle_where_it_is() -> None:
    """Four edges have three parts, of which the lower one and a half are filled."""
    column = NumberColumn(name="age", edges=(20, 40, 60, 80), misses=False)
    assert seen((column,), [[NAN]])["numbers"][0, 0].tolist() == parts(1, 0.5, 0)
    city = CategoryColumn(name="city", values=("a", "b"), misses=False, others=False)
    found = seen((city,), [[NAN], [2], [1]])["categories"]
    assert found.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]


def test_of_very_many_numbers_each_is_its_place_among_the_quantiles() -> None:
    """Edges 20, 40, 60, 80: two thirds of the way are at 60. One that was never missing, one that
    has no edges, and a date, which keeps its phases."""
    columns: tuple[Column, ...] = tuple(
        NumberColumn(name=f"x{place}", edges=(20, 40, 60, 80)) for place in range(1_000)
    )
    columns = (
        NumberColumn(name="whole", edges=(0, 1), misses=False),
        DateColumn(name="day", edges=()),
        CategoryColumn(name="city", values=("a", "b")),
        *columns,
    )
    rows = [[0.25, 1.75, 0, *[60.0] * 1_000], [NAN, NAN, NAN, 20, 80, NAN, ABSENT, *[50.0] * 996]]
    found = seen(columns, rows)
    assert found["numbers"].shape == (2, 1_002, 2)
    np.testing.assert_allclose(
        found["numbers"][:, :6],
        [
            [(-0.5, 0), (0, 0), *[(1 / 3, 0)] * 4],
            [(0, 0), (0, 1), (-1, 0), (1, 0), (0, 1), (0, 0)],
        ],
        atol=1e-6,
    )
    assert found["phases"].shape == (2, 1, 4)
    assert found["categories"].shape == (2, 4)
    inputs = TableInputs(columns=columns)
    assert inputs.layout == (1, 1, sum(tensor[0].size for tensor in found.values()))


@pytest.mark.parametrize("edges", [(), (5.0,), (0.0, 1e-36), (-1e37, 1e37)])
def test_columns_without_a_spread_are_finite(edges: tuple[float, ...]) -> None:
    column = NumberColumn(name="x", edges=edges)
    found = seen((column,), [[5], [0], [1e37], [-1e37], [NAN]])["numbers"]
    assert np.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 1


def test_categories_and_flags_are_one_hot() -> None:
    columns = (CategoryColumn(name="city", values=("a", "b")), FlagColumn(name="f"))
    found = seen(columns, [[0, 1], [2, 0], [NAN, NAN]])
    assert list(found) == ["categories"]
    assert found["categories"].tolist() == [
        [1, 0, 0, 0, 0, 1, 0],
        [0, 0, 1, 0, 1, 0, 0],
        [0, 0, 0, 1, 0, 0, 1],
    ]


def test_dates_have_phases() -> None:
    """1970-01-01 begins both turns; 1.75 days are a quarter of a week."""
    column = DateColumn(name="d", edges=(0, 100))
    found = seen((column,), [[0], [1.75], [365.2425], [NAN]])
    phases = found["phases"][:, 0]  # sine of year and week, cosine of year and week
    assert phases[0].tolist() == [0, 0, 1, 1]
    assert phases[1, [1, 3]] == pytest.approx([1, 0], abs=1e-6)
    assert phases[2, [0, 2]] == pytest.approx([0, 1], abs=1e-4)
    assert phases[3].tolist() == [0, 0, 0, 0]
    assert found["numbers"][1, 0, 0] == pytest.approx(0.0175)


def test_widths_are_as_the_columns_say() -> None:
    found = layers_of(TABLE, None).seen(TABLE.decode(ROWS, ""))
    assert sum(int(np.prod(tensor.shape[1:])) for tensor in found.values()) == TABLE.layout[2]


def test_the_archive_and_the_graph_answer_alike(tmp_path: Path) -> None:
    layers = layers_of(TABLE, None)
    raw = TABLE.decode(ROWS, "")["row"]
    expected = layers.seen({"row": raw})
    layers.preprocessing.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")({"row": raw})
    signature = tf.TensorSpec((None, 4), tf.float32, name="row")
    graph = convert(lambda row: layers.preprocessing({"row": row}), [signature])
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    of_graph = dict(zip(names, session.run(names, {"row": raw}), strict=True))
    for name, tensor in expected.items():
        assert np.array_equal(loaded[name], tensor), name
        np.testing.assert_allclose(of_graph[name], tensor, atol=1e-5, err_msg=name)


def test_nothing_is_seen_of_a_column_that_is_absent() -> None:
    layers = layers_of(TABLE, None)
    row = np.full((1, 4), ABSENT, np.float32)
    assert {
        name: float(abs(seen).numpy().max()) for name, seen in layers.seen({"row": row}).items()
    } == {
        "numbers": 0,
        "phases": 0,
        "categories": 0,
    }
