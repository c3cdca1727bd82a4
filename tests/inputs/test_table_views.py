from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from app.inputs.columns import CategoryColumn, DateColumn, NumberColumn
from app.inputs.table import TableInputs
from worker.inputs import layers_of
from worker.inputs.contract import InputLayers
from worker.inputs.table_views import STRONG, WEAK

SEED = tf.constant([3, 4], tf.int64)
TABLE = TableInputs(
    columns=(
        CategoryColumn.fit("city", [str(n) for n in range(200)], [1] * 200),
        NumberColumn.fit("age", np.arange(200.0)),
        DateColumn.fit("seen", np.arange(200.0)),
        CategoryColumn.fit("shop", [str(n) for n in range(200)], [1] * 200),
    )
)


def layers(misses: bool = True) -> InputLayers:
    """`misses`: whether training rows lack values."""
    columns = tuple(each.model_copy(update={"misses": misses}) for each in TABLE.columns)
    return layers_of(TableInputs(columns=columns), None)


def rows(count: int = 200) -> dict[str, tf.Tensor]:
    """Every column of row n is n."""
    row = np.repeat(np.arange(count, dtype=np.float32)[:, None], 4, axis=1)
    return dict(layers().seen({"row": row}))


def sources(x: dict[str, Any], changed: dict[str, Any]) -> np.ndarray:
    """Of each row and column the row that it came from, (rows, 4); the parts of a column agree."""
    width = TABLE.columns[0].width
    of = {
        "city": (x["categories"][:, :width], changed["categories"][:, :width]),
        "age": (x["numbers"][:, 0], changed["numbers"][:, 0]),
        "seen": (x["numbers"][:, 1], changed["numbers"][:, 1]),
        "phases": (x["phases"][:, 0], changed["phases"][:, 0]),
        "shop": (x["categories"][:, width:], changed["categories"][:, width:]),
    }
    found = {
        name: (np.asarray(new)[:, None] == np.asarray(old)[None]).all(2).argmax(1)
        for name, (old, new) in of.items()
    }
    assert np.array_equal(found["phases"], found["seen"])
    return np.stack([found[name] for name in ("city", "age", "seen", "shop")], 1)


@pytest.mark.parametrize(("name", "share"), [("weak", WEAK), ("strong", STRONG)])
def test_a_share_of_the_columns_comes_from_other_rows(name: str, share: float) -> None:
    x = rows()
    found = sources(x, getattr(layers(), name)(x, SEED))
    moved = found != np.arange(200)[:, None]
    assert moved.mean() == pytest.approx(share, abs=0.04)
    assert (moved.mean(0) > share / 2).all()
    assert len(np.unique(found[moved])) > 0.5 * moved.sum()
    # Columns of one row are redrawn each by itself.
    assert (moved.sum(1) == 1).mean() > 0


@pytest.mark.parametrize("name", ["weak", "strong"])
def test_it_is_a_function_of_the_seed_compiled_or_not(name: str) -> None:
    x, change = rows(64), getattr(layers(), name)
    once, again, other = change(x, SEED), change(x, SEED), change(x, SEED + 1)
    compiled = tf.function(change, jit_compile=True, autograph=False)(x, SEED)
    for key in x:
        assert once[key].shape == x[key].shape
        assert np.array_equal(once[key], again[key])
        assert np.array_equal(once[key], compiled[key])
    assert any(not np.array_equal(once[key], other[key]) for key in x)


def test_a_single_row_stays() -> None:
    x = rows(1)
    changed = layers().strong(x, SEED)
    assert all(np.array_equal(changed[name], x[name]) for name in x)


def test_hidden_values_are_missing_and_absent_ones_stay() -> None:
    """Each row has a chance of its own, uniform up to 0.8: 0.4 on the mean, and rows differ more
    than those of one chance would."""
    raw = np.zeros((4000, 4), np.float32)
    raw[:, 3] = np.inf
    hidden = layers().hidden({"row": tf.constant(raw)}, 0.8, SEED)["row"].numpy()
    assert np.isinf(hidden[:, 3]).all()
    is_missing = np.isnan(hidden[:, :3])
    assert is_missing.mean(0) == pytest.approx([0.4] * 3, abs=0.03)
    assert ((hidden[:, :3] == 0) | is_missing).all()
    counts = is_missing.sum(1)
    assert np.var(counts) > 1.3 * 3 * 0.4 * 0.6
    kept = layers(misses=False).hidden({"row": tf.constant(raw)}, 0.8, SEED)["row"].numpy()
    assert np.array_equal(kept, raw)
    again = layers().hidden({"row": tf.constant(raw)}, 0.8, SEED)["row"].numpy()
    assert np.array_equal(hidden, again, equal_nan=True)
