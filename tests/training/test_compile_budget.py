import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import json, sys
from pathlib import Path
from tests.training.trials import Recorder, spec, trial
from worker.training import program
from worker.training.compile_budget import bound_compiling
from worker.training.run import train
bound_compiling(Path(sys.argv[1]), float(sys.argv[2]))
program.XLA_FROM_STEPS = dict.fromkeys(program.XLA_FROM_STEPS, 0)
journal = Recorder()
train(trial("scratch", spec(epochs=2)), journal)
print(json.dumps(journal.conditions[-1].model_dump()))
"""


def train_in_a_process(folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), str(seconds)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_a_compilation_without_end_is_ended_once(tmp_path: Path) -> None:
    """The process goes with it; the next one trains by the plain loop and says why."""
    assert train_in_a_process(tmp_path, 0.01).returncode == -signal.SIGKILL
    ended = train_in_a_process(tmp_path, 100)
    conditions = json.loads(ended.stdout.splitlines()[-1])
    assert conditions["loops"] == ["plain"]
    assert "compiling took longer than 0.01 s" in conditions["notes"][0]


def test_one_within_its_time_is_left_alone(tmp_path: Path) -> None:
    ended = train_in_a_process(tmp_path, 100)
    conditions = json.loads(ended.stdout.splitlines()[-1])
    assert (conditions["loops"], conditions["notes"]) == (["xla"], [])
