"""A real lookout beside a broker that answers, one that never does, and none."""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest
import redis
from sqlalchemy import update

from app import broker
from app.child_process import spawn, stop
from app.database import Database
from app.messages import QUEUE, Message, Publisher, RunTrial, celery_application
from app.settings import Settings
from app.tables.jobs import TrialRow
from app.tables.workers import WorkerRow
from app.workers import repository
from tests.jobs.factories import must_claim, ready_job, trials_of
from tests.system.service import wait_for

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SELDOM = "10"  # seconds between two looks of its own
Start = Callable[..., "Lookout"]


class Lookout:
    """The worker's end of the line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self._rest = process, b""
        assert process.stdin
        assert process.stdout
        self._orders, self._reports = process.stdin.fileno(), process.stdout.fileno()

    def tell(self, line: str) -> None:
        os.write(self._orders, line.encode() + b"\n")

    def report(self, seconds: float = 8) -> list[list[object]] | None:
        """The next one; None when it does not come in time."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = max(0, deadline - time.monotonic())
            if not select.select([self._reports], [], [], left)[0]:
                return None
            read = os.read(self._reports, 65536)
            if not read:  # it has ended
                return None
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def finds(self, *messages: Message) -> bool:
        """True when they stand in one of its next reports."""
        wanted = [[message.task, asdict(message)] for message in messages]
        for _ in range(20):
            found = self.report()
            if found is None:
                return False
            if all(pair in found for pair in wanted):
                return True
        return False


@pytest.fixture
def start(database_url: str, settings: Settings) -> Iterator[Start]:
    started: list[Lookout] = []

    def start(**environment: str) -> Lookout:
        variables = {
            **os.environ,
            "KTL_DATA_DIR": str(settings.data_dir),
            "KTL_DATABASE_URL": database_url,
            **environment,
        }
        command = [sys.executable, "-m", "worker.process.lookout"]
        started.append(Lookout(spawn(command, environment=variables, talks=True)))
        return started[-1]

    yield start
    for lookout in started:
        lookout.process.kill()
        lookout.process.communicate()


def queued(database: Database, job_id: str) -> RunTrial:
    return RunTrial(next(t.id for t in trials_of(database, job_id) if t.status == "queued"))


@pytest.fixture
def server(settings: Settings) -> Iterator[None]:
    process = broker.ensure(settings)
    assert process
    yield
    stop(process, 10)


def test_a_message_makes_it_look(
    database: Database, settings: Settings, start: Start, server: None
) -> None:
    lookout = start(KTL_LOOK_INTERVAL_SECONDS=SELDOM)
    lookout.tell("room")
    assert lookout.report() == []
    waiting = queued(database, ready_job(database))
    with redis.Redis(unix_socket_path=str(settings.broker_socket)) as connection:
        connection.lpush(QUEUE, "this is no message")  # costs a connection, and no more
        Publisher(celery_application(settings.broker))(RunTrial("whatever it says"))
        assert lookout.finds(waiting)
        assert connection.llen(QUEUE) == 0
        lookout.tell("full")
        assert lookout.report() == []  # a busy worker leaves the messages to others
        time.sleep(2)  # as long as it may still listen for
        Publisher(celery_application(settings.broker))(RunTrial("for others"))
        assert lookout.report(seconds=1) is None
        assert connection.llen(QUEUE) == 1


def test_it_looks_by_itself_beside_a_broker_that_never_answers(
    database: Database, start: Start
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        lookout = start(KTL_BROKER_URL=url, KTL_LOOK_INTERVAL_SECONDS="0.1")
        with deaf.accept()[0]:
            assert lookout.report() == []
            lookout.tell("room")
            assert lookout.finds(queued(database, ready_job(database)))


def test_a_killed_childs_lease_ends_at_once(database: Database, start: Start) -> None:
    """There is no broker at all."""
    lookout = start(KTL_LOOK_INTERVAL_SECONDS="0.1")
    ready_job(database)
    lost = must_claim(database, owner="task-1", seconds=600)
    lookout.tell("room")
    lookout.tell("lost task-1")
    assert lookout.finds(RunTrial(lost.id))
    with database.read() as session:
        assert session.get_one(TrialRow, lost.id).token is None


def test_a_child_that_took_too_much_memory_leaves_word_of_it(
    database: Database, start: Start
) -> None:
    lookout = start(KTL_LOOK_INTERVAL_SECONDS="0.1")
    job_id = ready_job(database)
    for status in ("queued", "failed"):  # a second time is the last
        must_claim(database, owner="task-1", seconds=600)
        lookout.tell("lost task-1 memory")
        ended = lambda status=status: trials_of(database, job_id)[0].status == status  # noqa: E731
        wait_for(ended, 20, f"it is not {status}")
        assert (trials_of(database, job_id)[0].error or {})["failure"] == "out_of_memory"


def test_a_lookout_whose_database_is_away_stays(start: Start) -> None:
    """Leases that it cannot end do so by themselves."""
    lookout = start(KTL_LOOK_INTERVAL_SECONDS="0.1")  # a database without tables
    lookout.tell("room")
    lookout.tell("lost task-1")
    for _ in range(3):
        assert lookout.report() == []


def test_it_ends_with_its_worker(start: Start, database: Database) -> None:
    lookout = start()
    assert lookout.process.stdin
    lookout.process.stdin.close()
    lookout.process.stdin = None
    assert lookout.process.wait(20) == 0


def test_it_tells_that_the_loop_turns(database: Database, start: Start) -> None:
    """Of its own machine's worker alone."""
    with database.write() as session:
        for name in (socket.gethostname(), "another"):
            repository.declare(session, name, 1, 2**30)
        session.execute(update(WorkerRow).values(seen_at=WorkerRow.seen_at - 500))

    def ages() -> dict[str, float]:
        with database.read() as session:
            return {name: seconds for name, (seconds, _) in repository.last_seen(session).items()}

    assert min(ages().values()) >= 500
    start(KTL_LOOK_INTERVAL_SECONDS=SELDOM).tell("turned")
    wait_for(lambda: ages()[socket.gethostname()] < 100, 30, "the turn was not told")
    assert ages()["another"] >= 500
