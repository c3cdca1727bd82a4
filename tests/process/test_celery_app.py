"""What the children of a worker share with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from billiard.exceptions import WorkerLostError
from celery import signals

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


@pytest.mark.parametrize("out_of_memory", [False, True])
def test_a_child_that_was_killed_frees_its_leases_and_one_that_failed_does_not(
    monkeypatch: pytest.MonkeyPatch, out_of_memory: bool
) -> None:
    from worker.process import celery_app  # with TensorFlow

    class Heard:
        """In place of the step that a running worker has."""

        def __init__(self) -> None:
            self.freed: list[tuple[str, bool]] = []

        def free_leases(self, task: str, out_of_memory: bool) -> None:
            self.freed.append((task, out_of_memory))

    heard = Heard()
    monkeypatch.setattr(celery_app.application, "dispatch", heard, raising=False)
    monkeypatch.setattr(celery_app._oom_kills, "rose", lambda: out_of_memory)
    for task, error in (("task-1", ValueError("a bug")), ("task-2", WorkerLostError("SIGKILL"))):
        signals.task_failure.send(sender=None, task_id=task, exception=error)
    assert heard.freed == [("task-2", out_of_memory)]
