import os
import subprocess
import sys
from pathlib import Path

import pytest

from worker.machine.compile_cache import FLAGS, keep_compiled_programs

PROGRAM = """
import os, sys
from pathlib import Path
from worker.machine.compile_cache import keep_compiled_programs
keep_compiled_programs(Path(sys.argv[1]))
import tensorflow as tf
print(tf.function(lambda x: x @ x + 1, jit_compile=True)(tf.ones((8, 8))).numpy().sum())
"""


@pytest.mark.slow
def test_a_compiled_program_is_found_by_the_next_process(tmp_path: Path) -> None:
    def run() -> dict[str, int]:
        command = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path)]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
        assert done.stdout.strip() == "576.0"
        return {
            path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()
        }

    written = run()
    assert written
    assert run() == written


def test_what_the_user_has_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = "--tf_xla_persistent_cache_directory=/elsewhere"
    monkeypatch.setenv(FLAGS, chosen)
    keep_compiled_programs(tmp_path)
    assert os.environ[FLAGS] == chosen
    assert not list(tmp_path.iterdir())


def test_other_flags_stay_and_a_space_in_the_path_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FLAGS, "--tf_xla_auto_jit=0")
    keep_compiled_programs(tmp_path / "with space")
    assert os.environ[FLAGS] == "--tf_xla_auto_jit=0"
    keep_compiled_programs(tmp_path)
    assert os.environ[FLAGS].startswith("--tf_xla_auto_jit=0 --tf_xla_persistent_cache_directory=")
