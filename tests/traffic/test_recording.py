"""What processes count, in one database: no count is lost or stands twice, and old ones go."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

import numpy as np
import pytest
from sqlalchemy.exc import OperationalError

from app.database import Database
from app.deployments import repository as deployments
from app.storage import Storage
from app.tables.traffic import TrafficRow
from app.traffic import repository
from app.traffic.counts import FIRST_ITEMS, Counts
from app.traffic.recording import IDLE_SECONDS, Recorder
from app.traffic.tally import Tallies
from tests.prediction.site import add_model

CAT = np.array([[0.8, 0.1, 0.1]], np.float32)


@dataclass
class Process:
    """An API process, of which only the counting runs, by a clock that tests set."""

    database: Database
    model: str
    now: float = 1_000_000_000.0
    tallies: Tallies = field(default_factory=Tallies)

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.database, self.tallies, lambda: self.now)

    def ask(self, times: int = 1) -> None:
        tally = self.tallies.of("default", "pets", self.model)
        for _ in range(times):
            tally.answered(CAT)
            tally.ended(200, 0.01)

    def rows(self) -> list[TrafficRow]:
        with self.database.read() as session:
            row = deployments.get(session, "default", "pets")
            return repository.of_deployment(session, row.id, int(self.now))

    def requests(self, step: int) -> int:
        rows = (row for row in self.rows() if row.seconds == step)
        return sum(Counts.model_validate(row.counts).requests for row in rows)


@pytest.fixture
def model(database: Database, storage: Storage) -> str:
    model = add_model(database, storage)
    with database.write() as session:
        deployments.point(session, "default", "pets", model)
    return model


def test_processes_add_up(database: Database, model: str) -> None:
    here, there = Process(database, model), Process(database, model)
    here.ask(3)
    there.ask(4)
    for _ in range(2):
        here.recorder.record()
        there.recorder.record()
    here.ask(2)
    here.recorder.record()
    assert [here.requests(step) for step in (10, 300, 3600)] == [9, 9, 9]
    counts = [Counts.model_validate(row.counts) for row in here.rows() if row.seconds == 3600]
    assert sum(each.answers.kinds[0] for each in counts) == 9


def test_rows_are_few_and_go(database: Database, model: str) -> None:
    process = Process(database, model)
    for _ in range(200):  # 33 hours
        process.ask()
        process.recorder.record()
        process.now += 600
    rows = process.rows()
    assert len(rows) <= 2 + 14 + 26 + 1
    with database.read() as session:
        stored = session.query(TrafficRow).count()
    assert stored <= len(rows) + 10
    assert 24 * 6 <= process.requests(3600) <= 25 * 6 + 6


def test_a_database_that_is_away_loses_nothing(
    database: Database, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(database, model)

    def away(*_: object) -> None:
        raise OperationalError("", {}, Exception())

    process.ask(2)
    with monkeypatch.context() as patch:
        patch.setattr(repository, "put", away)
        with pytest.raises(OperationalError):
            process.recorder.record()
        process.ask(1)
        process.now += 3700
        with pytest.raises(OperationalError):
            process.recorder.record()
    process.recorder.record()
    assert process.requests(3600) == 3


def test_traffic_goes_with_its_deployment(database: Database, model: str) -> None:
    process = Process(database, model)
    process.ask()
    process.recorder.record()
    with database.write() as session:
        deployments.remove(session, deployments.get(session, "default", "pets"))
    process.ask()
    process.recorder.record()
    with database.read() as session:
        assert session.query(TrafficRow).count() == 0
    with database.write() as session:
        deployments.point(session, "default", "pets", model)
    process.ask()
    process.recorder.record()
    assert process.requests(3600) == 1


def test_first_answers_are_kept_until_they_are_enough(database: Database, model: str) -> None:
    here, there = Process(database, model), Process(database, model)
    for process in (here, there, here, there, here, there):
        process.ask(200)
        process.recorder.record()
    firsts = [Counts.model_validate(r.counts) for r in here.rows() if r.seconds == repository.FIRST]
    assert FIRST_ITEMS <= sum(first.answers.items for first in firsts) < FIRST_ITEMS + 200
    here.now += 10 * IDLE_SECONDS
    assert len(here.rows()) == len(firsts) == 2


def test_models_that_are_not_asked_are_forgotten_in_memory(database: Database, model: str) -> None:
    process = Process(database, model)
    process.ask()
    process.recorder.record()
    process.recorder.record()
    assert process.tallies.all()
    process.now += 2 * IDLE_SECONDS
    process.recorder.record()
    assert not process.tallies.all()
    process.ask()
    process.recorder.record()
    assert process.requests(3600) == 1


def test_a_deployment_that_is_deleted_at_this_moment_holds_up_no_other(
    database: Database, storage: Storage, model: str
) -> None:
    process = Process(database, model)
    with database.write() as session:
        deployments.point(session, "default", "others", model)
    process.ask()
    others = process.tallies.of("default", "others", model)
    others.answered(CAT)
    others.ended(200, 0.01)
    with ThreadPoolExecutor(1) as thread:
        with database.write() as session:
            deployments.remove(session, deployments.get(session, "default", "others"))
            written = thread.submit(process.recorder.record)
            Event().wait(0.5)
        written.result()
    assert process.requests(3600) == 1
