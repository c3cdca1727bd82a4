"""What an API process counts, written to the database every few seconds by a thread.

A step of a window is summed in memory and its row written whole, so that a write that fails is made
up for by the next one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from sqlalchemy.orm import Session

from app.database import Database
from app.traffic import repository
from app.traffic.counts import FIRST_ITEMS, AnswersSeen, Counts, answers_on_test
from app.traffic.repository import FIRST, AskedModel, RowKey
from app.traffic.tally import Key, Tallies, Tally
from app.traffic.windows import WINDOWS, Window

INTERVAL_SECONDS = 3.0
FORGET_SECONDS = 60.0  # between looks for rows that count no more
IDLE_SECONDS = 86400.0  # until a model that is not asked is forgotten in memory
MOST_UNWRITTEN = 1000  # rows: while the database is away older ones are given up


@dataclass
class _Step:
    begins_at: int
    counts: Counts


@dataclass
class _Series:
    """Sums of one model under one name: the step of each window that is under way."""

    asked_at: float
    deployment_id: str = ""  # one that is made anew under its name counts from nothing
    steps: dict[Window, _Step] = field(default_factory=dict)
    first: Counts = field(default_factory=Counts)
    needs_first: bool = True  # answers, to hold later ones against


class Recorder:
    """One a process; one thread calls `record`."""

    def __init__(
        self, database: Database, tallies: Tallies, clock: Callable[[], float] = time.time
    ) -> None:
        self._database, self._tallies, self._clock = database, tallies, clock
        self._process = uuid4().hex
        self._series: dict[Key, _Series] = {}
        self._unwritten: dict[RowKey, tuple[Counts, int | None]] = {}
        self._forget_at = 0.0

    def record(self) -> None:
        """Writes what has come since the last call. Raises SQLAlchemyError where the database is
        away; then a later call writes it."""
        at = self._clock()
        busy = {key: tally for key, tally in self._tallies.all() if self._is_busy(key, tally, at)}
        if busy:
            with self._database.read() as session:
                asked = repository.asked(session, busy)
                for key, known in asked.items():
                    self._look_for_reference(session, key, known)
            for key, tally in busy.items():
                if key in asked:
                    self._add(key, asked[key], tally, at)
                else:
                    tally.take()  # of a deployment that is gone
        if self._unwritten:
            self._write(at)

    def _is_busy(self, key: Key, tally: Tally, at: float) -> bool:
        series = self._series.setdefault(key, _Series(at))
        if tally.has_more:
            series.asked_at = at
            return True
        if at - series.asked_at > IDLE_SECONDS:
            self._tallies.forget(key)
            del self._series[key]
        return False

    def _look_for_reference(self, session: Session, key: Key, known: AskedModel) -> None:
        series = self._series[key]
        if series.deployment_id != known.deployment_id:
            series = self._series[key] = _Series(series.asked_at, known.deployment_id)
        if series.needs_first:
            has_reference = answers_on_test(known.card) is not None
            items = repository.first_items(session, known.deployment_id, key.model_id)
            series.needs_first = not has_reference and items < FIRST_ITEMS

    def _add(self, key: Key, known: AskedModel, tally: Tally, at: float) -> None:
        taken, series = tally.take(), self._series[key]
        answers = AnswersSeen.of(known.signature.task, taken.answers)
        counts = Counts.of(taken, answers)
        for window in WINDOWS:
            step, begins = series.steps.get(window), window.begins(at)
            if step is None or step.begins_at != begins:
                step = series.steps[window] = _Step(begins, Counts())
            step.counts += counts
            row = RowKey(known.deployment_id, key.model_id, self._process, window.step, begins)
            self._unwritten[row] = step.counts, window.expires(begins)
        if series.needs_first and answers.items:
            series.first += Counts(answers=answers)
            row = RowKey(known.deployment_id, key.model_id, self._process, FIRST, 0)
            self._unwritten[row] = series.first, None

    def _write(self, at: float) -> None:
        for row in list(self._unwritten)[:-MOST_UNWRITTEN]:
            del self._unwritten[row]
        with self._database.write() as session:
            there = repository.there_of(session, {row.deployment_id for row in self._unwritten})
            for row, (counts, expires_at) in self._unwritten.items():
                if row.deployment_id in there:
                    repository.put(session, row, counts.model_dump(mode="json"), expires_at)
            if at >= self._forget_at:
                repository.forget(session, int(at))
        self._unwritten.clear()
        if at >= self._forget_at:
            self._forget_at = at + FORGET_SECONDS
