"""Tables from the command line: options become the spec, and what is stored of them is shown."""

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import typer

from app.cli import table_spec
from app.cli.table_spec import spec_of
from app.database import Database
from app.datasets.schemas import DatasetSpec
from app.datasets.table_spec import Kind, Role
from app.settings import Settings
from app.storage import Storage
from tests.intake.tables import csv_text
from tests.intake.test_intake import claim
from worker.intake.intake import ingest

NOTHING: Any = dict.fromkeys(table_spec.TableOptions.__annotations__) | {"no_labels": False}


def spec(file: Path | None = None, **said: Any) -> dict[str, Any]:
    found = spec_of({**NOTHING, **said}, file)
    DatasetSpec.model_validate_json(json.dumps({"name": "table", **found}))
    return found


def test_options_become_the_spec() -> None:
    assert spec() == {}
    assert spec(target=["num"], task="regression") == {
        "target": {"column": "num"},
        "task": "regression",
    }
    assert spec(target=["red", "green"])["target"] == {"columns": ["red", "green"]}
    assert spec(target=["found"], task="multi_label", separator="|", none="nothing")["target"] == {
        "column": "found",
        "separator": "|",
        "none": "nothing",
    }
    assert spec(separator=";")["target"] == {"separator": ";"}
    assert spec(no_labels=True)["target"] == {"columns": []}
    assert spec(split="part")["split"] == {"column": "part"}
    assert spec(time="since", test_from="2026-01-01")["split"] == {
        "time": "since",
        "test_from": "2026-01-01",
    }
    assert spec(time="year", test_from="2026")["split"] == {"time": "year", "test_from": 2026}
    assert spec(where=["age=63", "age=64", "city=Lima"])["split"] == {
        "where": {"age": [63, 64], "city": ["Lima"]}
    }
    assert spec(group="patient", seed=3)["split"] == {"group": "patient", "seed": 3}
    assert spec(delimiter="tab", decimal=",", encoding="cp1252")["csv"] == {
        "delimiter": "\t",
        "decimal": ",",
        "encoding": "cp1252",
    }
    assert spec(missing=["?", "-9"])["missing"] == ["?", "-9"]


def test_columns_are_said_bit_by_bit() -> None:
    said = ["a=number", "a=unit:mg/dl", "a=missing:-9", "a=missing:?", "x=y=ignore"]
    said += ["born=format:%d.%m.%Y", "site=domain"]
    assert spec(columns=said)["columns"] == {
        "a": {"kind": "number", "unit": "mg/dl", "missing": ["-9", "?"]},
        "x=y": "ignore",
        "born": {"kind": "date", "format": "%d.%m.%Y"},
        "site": {"role": "domain"},
    }


@pytest.mark.parametrize("said", ["age", "=number", "age=numbr", "age=unit:"])
def test_what_is_no_column_is_refused(said: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected"):
        spec(columns=[said])


def test_words_are_those_of_the_api() -> None:
    assert get_args(Kind) == table_spec.KINDS
    assert get_args(Role) == table_spec.ROLES


def test_options_go_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    csv = {"decimal": ",", "encoding": "cp1252"}
    path.write_text(json.dumps({"target": {"columns": ["a", "b"]}, "csv": csv, "unit": "USD"}))
    assert spec(path, target=["price"], decimal=".") == {
        "target": {"column": "price"},
        "csv": {"decimal": ".", "encoding": "cp1252"},
        "unit": "USD",
    }
    path.write_text("[1]")
    with pytest.raises(typer.BadParameter, match="an object"):
        spec(path)
    with pytest.raises(typer.BadParameter, match="a file"):
        spec(tmp_path / "none.json")


def test_a_table_is_added_and_shown(
    ktl: Any, api: Any, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "heights.csv"
    cities = np.resize(["Lima", "", "Rome"], 20)
    path.write_text(csv_text(city=cities, born=["01/02/2026", "03/04/2026"] * 10))
    options = ["--target", "label", "--columns", "height=unit:m", "--columns"]
    added = ktl("datasets", "add", path, *options, "born=format:%d/%m/%Y", "--no-wait", "--json")
    assert added.status == 0, added.err
    dataset_id = json.loads(added.out)["id"]
    database = Database(settings.database)
    ingest(database, storage, settings, claim(database, dataset_id))
    database.dispose()
    shown = ktl("datasets", "show", dataset_id).out
    assert "error" not in shown
    lines = {line.split()[0]: line for line in shown.splitlines() if line.strip()}
    assert lines["height"].split()[:4] == ["height", "number", "feature", "m"]
    assert lines["born"].split()[:3] == ["born", "date", "feature"]
    assert "6 train" in lines["city"] or "5 train" in lines["city"]
    assert "the spec says so" in lines["label"]
    refused = ktl("datasets", "add", path, "--columns", "height=numbr")
    assert refused.status == 2
