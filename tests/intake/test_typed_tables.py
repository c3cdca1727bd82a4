"""Files that say the types of their columns: Parquet, Arrow, JSONL."""

import gzip
import io
import json
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from app.errors import WorkFailure
from tests.intake.tables import kinds_of, rows_of, take_csv, x_of
from worker.intake.ingested import IngestedDataset
from worker.intake.raw import IntakeLimits


def table(rows: int = 20, **columns: Any) -> pa.Table:
    held = {
        "age": pa.array([float(place % 7) if place % 5 else None for place in range(rows)]),
        "visits": pa.array([place % 9 for place in range(rows)], pa.int16()),
        "smokes": pa.array([place % 3 == 0 for place in range(rows)]),
        "ward": pa.array([("a", "b", "")[place % 3] for place in range(rows)]).dictionary_encode(),
        "since": pa.array([date(2020, 1, 1 + place % 31) for place in range(rows)]),
        "label": pa.array([("well", "ill")[place % 2] for place in range(rows)]),
        **columns,
    }
    return pa.table({name: values for name, values in held.items() if values is not None})


def packed(content: pa.Table, kind: str) -> bytes:
    stream = io.BytesIO()
    if kind == "parquet":
        parquet.write_table(content, stream)
        return stream.getvalue()
    opened = ipc.new_file if kind == "arrow" else ipc.new_stream
    with opened(stream, content.schema) as writer:
        writer.write_table(content)
    return stream.getvalue()


def lines(*objects: Any) -> str:
    return "".join(f"{json.dumps(each)}\n" for each in objects)


def take_table(
    folder: Path, content: pa.Table, kind: str = "parquet", **spec: Any
) -> IngestedDataset:
    name = {"parquet": "t.parquet", "arrow": "t.arrow", "stream": "t.arrows"}[kind]
    return take_csv(folder, packed(content, kind), name, **spec)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
def test_types_of_the_file_are_kept(tmp_path: Path, kind: str) -> None:
    taken = take_table(tmp_path, table(), kind)
    assert kinds_of(taken) == {
        "age": ("number", "feature"),
        "visits": ("number", "feature"),
        "smokes": ("flag", "feature"),
        "ward": ("category", "feature"),
        "since": ("date", "feature"),
        "label": ("category", "label"),
    }
    rows = rows_of(taken)
    kinds = (pa.float64(), pa.float64(), pa.bool_(), pa.string(), pa.timestamp("us"), pa.string())
    assert tuple(rows.schema.types) == kinds
    assert rows["ward"].null_count == 6
    x = np.concatenate([x_of(taken), x_of(taken, "test")])
    assert np.isnan(x[:, 0]).sum() == 4
    assert np.array_equal(x[:, 2], rows["smokes"].to_numpy())
    days = [(moment - datetime(1970, 1, 1)).days for moment in rows["since"].to_pylist()]
    assert np.array_equal(x[:, 4], days)


def test_moments_are_brought_to_utc(tmp_path: Path) -> None:
    at = pa.array([datetime(2020, 1, 1, place, tzinfo=UTC) for place in range(20)])
    zoned = at.cast(pa.timestamp("ms", "Asia/Shanghai"))
    rows = rows_of(take_table(tmp_path, table(since=zoned)))
    assert sorted(rows["since"].to_pylist())[0] == datetime(2020, 1, 1)


def test_jsonl(tmp_path: Path) -> None:
    objects = [
        {"age": place / 2, "city": ("Rome", "Oslo")[place % 2], "label": f"{place % 2}"}
        for place in range(20)
    ]
    del objects[3]["age"]
    objects[4]["city"] = None
    text = "\ufeff" + lines(*objects[:7]) + "\n" + lines(*objects[7:])
    taken = take_csv(tmp_path, text, "t.jsonl")
    assert kinds_of(taken)["age"] == ("number", "feature")
    rows = rows_of(taken)
    assert (rows["age"].null_count, rows["city"].null_count) == (1, 1)
    again = take_csv(tmp_path, gzip.compress(text.encode()), "t.jsonl.gz")
    assert again.content_hash == taken.content_hash


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('{"a": 1}\n{"a": \n', "invalid_json", "none in line 2"),
        ('{"a": 1}\n[1]\n', "invalid_json", "in line 2"),
        ('{"a": 1}\n\n{"a": "x"}\n', "wrong_type", "a number in line 1 and text in line 3"),
        ('{"a": 1}\n{"a": [1]}\n', "nested_column", "in line 2"),
        (
            '[{"a": 1},\n{"a": 2}]\n',
            "invalid_json",
            "on a line of its own",
        ),
        ('[{"a": 1}]\n', "invalid_json", "on a line of its own"),
        ('{"a": 1},\n{"a": 2}\n', "invalid_json", "leave out the comma"),
        ('{\n "a": 1\n}\n', "invalid_json", "write each object on one line"),
        ('{"a": 1}\n{"a": NaN}\n', "invalid_json", "write null where nothing is known"),
        ("\n\n", "empty_file", "got none"),
        ("{}\n", "empty_file", "got none"),
        ('{"a": 1, "": 2}\n' * 2, "blank_name", "in place 2 of 2"),
    ],
)
def test_refused_jsonl(tmp_path: Path, text: str, code: str, said: str) -> None:
    with pytest.raises(WorkFailure) as failure:
        take_csv(tmp_path, text, "t.jsonl")
    assert failure.value.reason == code
    assert said in failure.value.detail


def test_nested_types_are_named_or_ignored(tmp_path: Path) -> None:
    nested = table(tags=pa.array([["a"]] * 20), raw=pa.array([b"\xff"] * 20))
    with pytest.raises(WorkFailure) as failure:
        take_table(tmp_path, nested)
    assert failure.value.reason == "nested_column"
    assert "`tags`, `raw`" in failure.value.detail
    taken = take_table(tmp_path, nested, columns={"tags": "ignore", "raw": "ignore"})
    assert kinds_of(taken)["tags"] == ("constant", "ignored")


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
def test_damage_is_refused(tmp_path: Path, kind: str) -> None:
    whole = packed(table(), kind)
    for at in range(8, len(whole), max(1, len(whole) // 60)):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            with suppress(WorkFailure):  # and nothing else
                take_csv(tmp_path, damaged, {"parquet": "t.parquet"}.get(kind, "t.arrow"))


def test_a_small_file_that_holds_much(tmp_path: Path) -> None:
    content = packed(table(900, since=None, age=pa.array(["x" * 5000] * 900)), "parquet")
    assert len(content) < 2**14
    with pytest.raises(WorkFailure, match="at most 1048576 bytes") as failure:
        take_csv(tmp_path, content, "t.parquet", IntakeLimits(items=1000, bytes=2**20))
    assert failure.value.reason == "too_large"


def test_numbers_as_text_with_null_among_them(tmp_path: Path) -> None:
    said = [
        {"age": None if row == 3 else f"{row % 7}.5", "label": "ab"[row % 2]} for row in range(20)
    ]
    text = "".join(f"{json.dumps(each)}\n" for each in said)
    taken = take_csv(tmp_path, text, "rows.jsonl")
    assert kinds_of(taken)["age"] == ("number", "feature")
    assert sum(taken.profile["columns"]["age"]["missing"].values()) == 1
