"""What the kernel tells of the processes that it has ended, and how trials end by it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.database import Database
from app.errors import FailureCode
from app.jobs import lifecycle, recovery, work
from tests.jobs.factories import finish, job_of, must_claim, ready_job, trials_of
from worker.process import oom_kills
from worker.process.oom_kills import OomKills

LIMIT = 200 * 2**20
CONTROLLED = Path("/sys/fs/cgroup/memory")

# Told by the kernel's own counter: the child, which takes three times the limit, and not its parent
# is ended, although the parent is the larger one.
GREEDY = """
import os, sys, time
from worker.process.oom_kills import OomKills, offer_itself

own = bytearray(b"x") * (80 * 2**20)
kills = OomKills()
child = os.fork()
if child == 0:
    offer_itself()
    taken = [bytearray(b"x") * 2**20 for _ in range(600)]
    os._exit(0)
_, status = os.waitpid(child, 0)
print(os.WTERMSIG(status), kills.rose(), kills.rose(), len(own))
"""


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group of LIMIT bytes."""
    group = CONTROLLED / f"ktl-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError:
        pytest.skip("expected a system that lets tests make control groups")
    try:
        (group / "memory.limit_in_bytes").write_text(str(LIMIT))
        yield group
    finally:
        group.rmdir()


def test_the_kernel_ends_a_greedy_child_and_its_parent_knows(small_group: Path) -> None:
    into = f"open('{small_group}/cgroup.procs', 'w').write('0')\n"
    command = [sys.executable, "-c", into + GREEDY]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert told.split() == [str(int(signal.SIGKILL)), "True", "False", str(80 * 2**20)]


@pytest.mark.parametrize("name", ["memory.events", "memory/memory.oom_control"])
def test_counters_of_both_versions(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, version = tmp_path / "cgroup", "4:memory" if "/" in name else "0:"
    own.write_text(f"9:pids:/\n{version}:/ktl/worker\n")
    folder, _, file = name.rpartition("/")
    counter = tmp_path / folder / "ktl" / "worker" / file
    counter.parent.mkdir(parents=True)
    counter.write_text("oom 3\noom_kill 0\n")
    monkeypatch.setattr(oom_kills, "OWN_GROUPS", own)
    monkeypatch.setattr(oom_kills, "MEMORY_GROUPS", tmp_path)
    kills = OomKills()
    assert not kills.rose()
    counter.write_text("oom 5\noom_kill 2\n")
    assert kills.rose()
    assert not kills.rose()


def lose(database: Database, out_of_memory: bool) -> None:
    """The child `w` is gone; then its leases are taken back."""
    with database.write() as session:
        recovery.abandon(session, "w", out_of_memory)
    with database.write() as session:
        recovery._take_back_trials(session, max_attempts=5)


def test_the_second_time_is_the_last(database: Database) -> None:
    job_id = ready_job(database)
    first = must_claim(database)
    lose(database, out_of_memory=True)
    (trial, *_) = trials_of(database, job_id)
    assert trial.status == "queued"
    assert trial.error is not None
    assert trial.error["failure"] == FailureCode.OUT_OF_MEMORY
    again = must_claim(database)
    assert again.id == first.id
    with database.write() as session:  # whatever it gets done in between
        work.record_progress(session, again, [], progress=0.5)
    lose(database, out_of_memory=True)
    (trial, *_) = trials_of(database, job_id)
    assert (trial.status, trial.attempt < 5) == ("failed", True)
    finish(database, must_claim(database))  # what needs no pretraining
    job = job_of(database, job_id)
    assert (job.status, job.error) == ("failed", trial.error)
    assert "lower training.batch_size" in trial.error["message"]
    with database.write() as session:
        lifecycle.retry(session, job_id)
    assert trials_of(database, job_id)[0].error is None


def test_a_child_killed_by_somebody_has_not_lacked_memory(database: Database) -> None:
    job_id = ready_job(database)
    for _ in range(3):
        must_claim(database)
        lose(database, out_of_memory=False)
        assert trials_of(database, job_id)[0].error is None


def test_a_trial_that_succeeds_after_all_has_no_error(database: Database) -> None:
    job_id = ready_job(database)
    must_claim(database)
    lose(database, out_of_memory=True)
    finish(database, must_claim(database), weights="w")
    assert trials_of(database, job_id)[0].error is None
    for _ in range(2):
        finish(database, must_claim(database))
    assert job_of(database, job_id).stage == lifecycle.FINALISING


def test_a_report_that_lacks_memory_twice_ends_the_job(database: Database) -> None:
    job_id = ready_job(database)
    for _ in range(3):
        finish(database, must_claim(database), weights="w")
    for attempt in (1, 2):
        with database.write() as session:
            assert work.claim_finalisation(session, job_id, "w", 60)
        with database.write() as session:
            recovery.abandon(session, "w", out_of_memory=True)
        assert job_of(database, job_id).status == ("failed" if attempt > 1 else "running")
    error = job_of(database, job_id).error
    assert error is not None
    assert (error["failure"], error["stage"]) == (FailureCode.OUT_OF_MEMORY, "finalising")
