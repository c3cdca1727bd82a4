"""What is sent of arrays and data frames, and what of an upload is told."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from app.client.ktl.uploads import OpenUpload

FRAME = {"age": [40, 51], "code": ["007", "010"], "sick": ["yes", "no"]}


def sent(content, name="mine", on_progress=None):
    with OpenUpload(content, name, on_progress) as upload:
        return [(file, stream.read()) for _, (file, stream) in upload.parts]


def test_arrays_by_name_are_an_npz():
    ((file, data),) = sent({"x": np.ones((3, 2, 2)), "y": ["a", "b", "a"]})
    assert file == "arrays.npz"
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        assert arrays["x"].shape == (3, 2, 2)
        assert list(arrays["y"]) == ["a", "b", "a"]


@pytest.mark.parametrize("made", [pd.DataFrame, pa.table], ids=["pandas", "pyarrow"])
def test_a_data_frame_is_parquet(made):
    ((file, data),) = sent(made(FRAME))
    assert file == "rows.parquet"
    assert parquet.read_table(io.BytesIO(data)).to_pydict() == FRAME


def test_a_data_frame_of_polars_is_parquet():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    ((_, data),) = sent(polars.DataFrame(FRAME))
    assert parquet.read_table(io.BytesIO(data)).to_pydict() == FRAME
    with pytest.raises(TypeError, match=r"\.collect\(\)"):
        sent(polars.LazyFrame(FRAME))


def test_pandas_without_pyarrow_sends_lines_whose_texts_stay_texts(monkeypatch):
    def missing(*_, **__):
        raise ImportError("no pyarrow")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", missing)
    ((file, data),) = sent(pd.DataFrame(FRAME))
    assert file == "rows.jsonl"
    assert [json.loads(line)["code"] for line in data.splitlines()] == ["007", "010"]


def test_a_batch_of_records_is_parquet():
    (batch,) = pa.table(FRAME).to_batches()
    ((_, data),) = sent(batch)
    assert parquet.read_table(io.BytesIO(data)).to_pydict() == FRAME


def test_columns_of_one_name_are_refused():
    twins = pd.DataFrame([[1, 2, 3]], columns=["age", 7, "7"])
    for frame in (twins, pa.table([[1], [2]], names=["7", "7"])):
        with pytest.raises(ValueError, match="different names, got several 7"):
            sent(frame)


def test_kinds_of_columns_are_kept():
    frame = pd.DataFrame(
        {
            "kind": pd.Categorical(["a", None]),
            "count": pd.array([1, None], "Int64"),
            "seen": pd.to_datetime(["2026-01-02", None]),
            "mixed": pd.Series(["a", None], dtype=object),
        }
    )
    frame.index = pd.MultiIndex.from_tuples([("x", 1), ("x", 1)])
    ((_, data),) = sent(frame)
    found = parquet.read_table(io.BytesIO(data)).to_pylist()
    assert found[1] == dict.fromkeys(frame.columns)
    assert (found[0]["count"], found[0]["kind"], found[0]["mixed"]) == (1, "a", "a")
    assert f"{found[0]['seen']:%F}" == "2026-01-02"


def test_a_frame_without_rows_is_sent():
    ((_, data),) = sent(pd.DataFrame(FRAME).head(0))
    assert parquet.read_table(io.BytesIO(data)).num_rows == 0


def test_an_index_is_no_column():
    ((_, data),) = sent(pd.DataFrame(FRAME, index=["a", "b"]))
    assert parquet.read_table(io.BytesIO(data)).column_names == [*FRAME]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (7, "got a int"),
        ([], "got a list"),
        ([7], "got a sequence with a int"),
        ({}, "got no array"),
        ({"x": [object()]}, "Python objects in x"),
    ],
)
def test_what_is_no_data_is_refused(content, said):
    with pytest.raises(TypeError, match="expected") as caught:
        sent(content)
    assert said in str(caught.value)


def test_data_from_no_file_needs_a_name(client):
    with pytest.raises(TypeError, match="name="):
        client.datasets.upload({"x": np.zeros((2, 2, 2))})


def test_one_file_may_be_named_alone(client, tmp_path):
    path = tmp_path / "letters.npz"
    np.savez(path, x=np.zeros((20, 4, 4), np.uint8), y=np.arange(20) % 2)
    assert client.datasets.upload(path).name == "letters"
    assert client.datasets.upload(str(path), "second").name == "second"


def test_a_file_that_is_not_there_closes_the_others(tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")  # a file left open would be a warning, thus an error
    with pytest.raises(FileNotFoundError):
        sent([tmp_path / "a.csv", tmp_path / "b.csv"])


def test_a_bar_ends_its_line_when_all_is_sent(client, capsys):
    client.datasets.upload({"x": np.zeros((20, 4, 4))}, "blank", on_progress=True)
    bar = capsys.readouterr().err.split("\r")[-1]  # the service's own log may follow
    assert bar.partition("\n")[0].endswith("MB")
    assert "100%" in bar
