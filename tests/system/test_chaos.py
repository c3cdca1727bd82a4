"""The chaos program's short form; tests/system/chaos.py says what it does, and has the long one."""

import os
from pathlib import Path

import pytest

from tests.system.chaos import database, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="kill -9 is a thing of Unix"),
]

KILLS = 20


@pytest.mark.timeout(900)
def test_no_promise_is_broken_by_what_processes_and_files_suffer(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with database("sqlite", tmp_path) as url:
        outcome = run(url, tmp_path, seed=0, kills=KILLS, jobs=3, seconds=600)
    assert outcome.complaints == []
    assert outcome.done.total() == KILLS
    assert outcome.jobs["succeeded"] >= 1
