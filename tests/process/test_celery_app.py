"""What the children of a worker share with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLED_WHILE_LOOKING = """
import os, signal, time
from worker.process.celery_app import is_draining

for _ in range(10):
    child = os.fork()
    while child == 0:
        is_draining()
    time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
assert not is_draining()
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a thing of Unix")
def test_a_child_killed_while_it_looks_holds_nobody_up(tmp_path: Path) -> None:
    environment = os.environ | {"KTL_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", KILLED_WHILE_LOOKING]
    subprocess.run(command, env=environment, timeout=60, check=True)
