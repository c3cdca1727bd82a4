"""Rows of memory maps: selected, of several sources as one, read without a copy of the whole."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from worker.training import items
from worker.training.items import Items

ROWS = np.arange(10 * 4, dtype=np.uint8).reshape(10, 2, 2, 1)
WEIGHTS = np.linspace(0, 1, 10, dtype=np.float32)
Made = Callable[[Path], Items]
PICKS = [slice(2, 8), slice(None, None, -3), [9, 0, 9, 4], [-1, 3], np.array([], np.int64)]


def stored(folder: Path, name: str, rows: slice, key: str | None = None) -> Items:
    """Two columns, memory-mapped."""
    columns = {}
    for column, array in (("image", ROWS), ("weight", WEIGHTS)):
        np.save(folder / f"{name}_{column}.npy", array[rows])
        columns[column] = np.load(folder / f"{name}_{column}.npy", mmap_mode="r")
    return Items.of(columns, key)


def whole(folder: Path) -> Items:
    return stored(folder, "whole", slice(None), "all")


def joined(folder: Path) -> Items:
    """Three sources, one of them empty."""
    places = {"a": slice(3), "none": slice(3, 3), "b": slice(3, None)}
    return Items.joined([stored(folder, name, rows, name) for name, rows in places.items()])


@pytest.mark.parametrize("made", [whole, joined])
def test_items_know_their_columns_without_reading_them(made: Made, tmp_path: Path) -> None:
    items = made(tmp_path)
    assert [(each.name, each.dtype, each.shape) for each in items.specs] == [
        ("image", "uint8", (2, 2, 1)),
        ("weight", "float32", ()),
    ]
    assert (len(items), items.stored, items.item_bytes) == (10, 10, 8)


@pytest.mark.parametrize("made", [whole, joined])
@pytest.mark.parametrize("pick", PICKS)
def test_selected_items_are_those_of_one_array(
    made: Made, pick: slice | list[int] | np.ndarray, tmp_path: Path
) -> None:
    items = made(tmp_path).select(pick)
    read = items.read()
    assert np.array_equal(read["image"], ROWS[pick])
    assert np.array_equal(read["weight"], WEIGHTS[pick])
    assert (len(items), items.stored) == (len(ROWS[pick]), 10)
    assert np.array_equal(items.whole.read()["image"], ROWS)
    assert np.array_equal(items.head(2).read()["image"], ROWS[pick][:2])


@pytest.mark.parametrize("made", [whole, joined])
def test_gathered_items_are_written_where_they_are_wanted(made: Made, tmp_path: Path) -> None:
    items = made(tmp_path).select(np.array([8, 1, 4])).select(np.array([2, 0]))
    out = items.room(4)
    items.gather(np.array([1, 0, 1]), {name: column[:3] for name, column in out.items()})
    assert np.array_equal(out["image"][:3], ROWS[[8, 4, 8]])
    assert np.array_equal(out["weight"][:3], WEIGHTS[[8, 4, 8]])
    assert not out["image"][3].any()


@pytest.mark.parametrize("made", [whole, joined])
def test_items_outside_are_refused(made: Made, tmp_path: Path) -> None:
    with pytest.raises(IndexError):
        made(tmp_path).select([0, 10])


@pytest.mark.parametrize("made", [whole, joined])
def test_blocks_are_all_items_in_their_order(made: Made, tmp_path: Path) -> None:
    items = made(tmp_path)
    blocks = [block.read()["image"] for block in items.blocks(4)]
    assert [len(block) for block in blocks] == [4, 4, 2]
    assert np.array_equal(np.concatenate(blocks), ROWS)
    assert [len(block) for block in items.head(0).blocks(4)] == [0]


def test_the_store_is_read_as_it_is_where_nothing_is_selected(tmp_path: Path) -> None:
    items = whole(tmp_path)
    (part,) = items.parts
    assert np.shares_memory(items.read(2, 5)["image"], part["image"])
    assert items.select([1]).parts is items.parts


def test_selections_of_one_store_are_joined_within_it(tmp_path: Path) -> None:
    items = whole(tmp_path)
    both = Items.joined([items.select([7, 2]), items.select([3])])
    assert both.parts is items.parts
    assert both.key == "all"
    assert np.array_equal(both.read()["image"], ROWS[[7, 2, 3]])


def test_selections_of_several_stores_are_joined(tmp_path: Path) -> None:
    items = stored(tmp_path, "a", slice(4)), stored(tmp_path, "b", slice(4, None))
    both = Items.joined([items[0].select([3, 0]), items[1].select([5])])
    assert np.array_equal(both.read()["image"], ROWS[[3, 0, 9]])


def test_a_key_names_the_content_of_all_sources(tmp_path: Path) -> None:
    a, b = (stored(tmp_path, name, slice(2), name) for name in ("a", "b"))
    nameless = stored(tmp_path, "c", slice(2))
    keys = {Items.joined(each).key for each in ([a, b], [b, a], [a, b, a])}
    assert len(keys) == 3
    assert None not in keys
    assert Items.joined([a, nameless]).key is None
    assert Items.joined([a]).key == "a"
    assert a.select([0]).key == "a"


def test_pages_of_large_files_are_let_go_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel counts what this process has mapped of a file, page by page."""
    monkeypatch.setattr(items, "LARGE", 2**20)
    stored = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (2**12, 2**12))
    expected = np.arange(2**12).astype(np.uint8)
    stored[:] = expected[:, None]
    stored.flush()
    del stored
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    held = Items.of({"x": mapped})
    for chosen in (held, held.select(np.arange(2**12)[::-1])):
        blocks = [block.read()["x"][:, 0].copy() for block in chosen.blocks(512)]
        np.testing.assert_array_equal(np.concatenate(blocks), expected[chosen.rows])
    assert _mapped_kib(tmp_path / "x.npy") < 8 * 2**10  # of 16 MiB


def _mapped_kib(path: Path) -> int:
    lines = Path("/proc/self/smaps").read_text().splitlines()
    starts = [place for place, line in enumerate(lines) if line.endswith(str(path))]
    return sum(
        int(next(line for line in lines[start:] if line.startswith("Rss")).split()[1])
        for start in starts
    )
