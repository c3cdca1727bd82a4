"""One look at the database for all who follow jobs in this process, four times a second.

A stream asks for what comes after the last event that it has sent, so nothing is queued for it: a
slow reader costs no memory and takes the older events from the database when it comes to them.
Nobody follows: nothing is looked at.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.database import Database
from app.errors import TooManyRequests
from app.jobs import events, repository
from app.jobs.events import EventBatch, SentEvent
from app.jobs.presenting import present_jobs
from app.settings import Settings

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.25
PROGRESS_SECONDS = 1.0
PING_SECONDS = 15.0
WINDOW = 100  # events of a job that are kept in memory, and that are read at once
AT_ONCE = 50  # streams that are woken or end; requests have their turn between
PING = b": ping\n\n"
THREADS = 2  # each with a connection, while it reads
MOVING = {"progress", "eta_seconds", "trials"}


@dataclass
class _Topic:
    """A job that is followed."""

    job_id: str
    number: int | None = None  # of its last event that was seen; None before the first look
    has_ended: bool = False
    recent: deque[SentEvent] = field(default_factory=lambda: deque(maxlen=WINDOW))
    standing: bytes | None = None
    followers: set["Follower"] = field(default_factory=set)

    def hear(self, news: EventBatch) -> bool:
        """Tells whether there is something to be told."""
        before = (self.number, self.has_ended)
        if news.told:
            if news.told[0].number != (self.number or 0) + 1:
                self.recent.clear()  # more came than one look takes
            self.recent.extend(news.told)
            self.number = news.told[-1].number
        elif self.number is None:
            self.number = news.count
        self.has_ended = news.has_ended and (self.number or 0) >= news.count
        return (self.number, self.has_ended) != before


class Following:
    """The streams of this process. Everything but the looks happens in the event loop."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._topics: dict[str, _Topic] = {}
        self._per_key: Counter[str | None] = Counter()
        self._threads = ThreadPoolExecutor(THREADS, "events")
        self._pages: dict[tuple[str, int], asyncio.Future[list[SentEvent]]] = {}
        self._is_awaited = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self.leaving = asyncio.Semaphore(AT_ONCE)

    @contextmanager
    def follow(
        self, job_id: str, key_id: str | None, number: int, progress: bool
    ) -> Iterator["Follower"]:
        """A seat for one stream. Raises TooManyRequests."""
        self._check_seats(key_id)
        topic = self._topics.setdefault(job_id, _Topic(job_id))
        follower = Follower(self, topic, number, progress)
        topic.followers.add(follower)
        self._per_key[key_id] += 1
        if topic.number is None:
            self._is_awaited.set()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        try:
            yield follower
        finally:
            self._per_key -= Counter((key_id,))
            topic.followers.remove(follower)
            if not topic.followers:
                del self._topics[job_id]

    async def page(self, job_id: str, number: int) -> list[SentEvent]:
        """Events that are older than those in memory; read once for all who ask at one moment."""
        asked = self._pages.get((job_id, number))
        if asked is None:
            loop = asyncio.get_running_loop()
            asked = loop.run_in_executor(self._threads, self._read_page, job_id, number)
            self._pages[job_id, number] = asked
            asked.add_done_callback(lambda _: self._pages.pop((job_id, number)))
        return await asyncio.shield(asked)

    def stop(self) -> None:
        if self._watching:
            self._watching.cancel()
        self._threads.shutdown(cancel_futures=True)

    def _check_seats(self, key_id: str | None) -> None:
        limits = self._settings
        for taken, limit, whose in (
            (self._per_key[key_id], limits.key_stream_limit, "of one key"),
            (self._per_key.total(), limits.stream_limit, "in this process"),
        ):
            if taken >= limit:
                detail = f"expected at most {limit} event streams {whose} at once, got one more: "
                detail += "close some, or ask for the job itself"
                raise TooManyRequests("too_many_streams", detail, headers={"Retry-After": "5"})

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        progress_due = 0.0
        try:
            while self._topics:
                self._is_awaited.clear()
                try:
                    known = {topic.job_id: topic.number for topic in self._topics.values()}
                    found = await loop.run_in_executor(self._threads, self._look, known)
                    await self._tell(found)
                    if time.monotonic() >= progress_due:
                        progress_due = time.monotonic() + PROGRESS_SECONDS
                        await self._tell_progress()
                except Exception as error:  # a database that is away must not end the streams
                    log.warning("events_not_read", error=str(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._is_awaited.wait(), POLL_SECONDS)
        finally:
            self._watching = None

    async def _tell(self, found: dict[str, EventBatch]) -> None:
        for job_id, news in found.items():
            topic = self._topics.get(job_id)
            if topic and topic.hear(news):
                await _wake(topic)

    async def _tell_progress(self) -> None:
        asked = [
            topic.job_id
            for topic in self._topics.values()
            if any(follower.wants_progress for follower in topic.followers)
        ]
        if not asked:
            return
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._read_standings, asked)
        for job_id, standing in found.items():
            if (topic := self._topics.get(job_id)) and topic.standing != standing:
                topic.standing = standing
                await _wake(topic)

    def _look(self, known: dict[str, int | None]) -> dict[str, EventBatch]:
        with self._database.read() as session:
            return dict(events.news(session, known, WINDOW))

    def _read_page(self, job_id: str, number: int) -> list[SentEvent]:
        with self._database.read() as session:
            return events.told_after(session, job_id, number, WINDOW)

    def _read_standings(self, job_ids: list[str]) -> dict[str, bytes]:
        with self._database.read() as session:
            jobs = present_jobs(session, repository.of_ids(session, job_ids))
            return {job.id: events.sse("progress", job.model_dump(include=MOVING)) for job in jobs}


class Follower:
    """Place of one stream in a job's story."""

    def __init__(self, following: Following, topic: _Topic, number: int, progress: bool) -> None:
        self._following, self._topic, self._number = following, topic, number
        self.wants_progress = progress
        self._standing = topic.standing
        self._is_gone = False
        self._waiting: asyncio.Future[None] | None = None

    async def next(self) -> bytes | None:
        """Returns what is to be sent now, after a wait if need be; None at the end."""
        while not self._is_gone:
            topic = self._topic
            if topic.number is not None and self._number < topic.number:
                told = await self._missed()
                if told:
                    self._number = told[-1].number
                    return b"".join(each.content for each in told)
                return None  # the job was deleted, or nobody listens
            if topic.has_ended:
                return None
            if self.wants_progress and self._standing != topic.standing:
                before, self._standing = self._standing, topic.standing
                if before and self._standing:
                    return self._standing
            if not await self._wait():
                return PING
        return None

    def wake(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    async def leave(self) -> None:
        """The client has gone: `next` ends."""
        async with self._following.leaving:
            self._is_gone = True
            self.wake()
            await asyncio.sleep(0)

    async def _missed(self) -> list[SentEvent]:
        recent = self._topic.recent
        if recent and recent[0].number <= self._number + 1:
            return [told for told in recent if told.number > self._number]
        while not self._is_gone:
            try:
                return await self._following.page(self._topic.job_id, self._number)
            except SQLAlchemyError as error:  # as in the looks: it comes back
                log.warning("events_not_read", error=str(error))
                await asyncio.sleep(PROGRESS_SECONDS)
        return []

    async def _wait(self) -> bool:
        """Tells whether there is something new."""
        self._waiting = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait((self._waiting,), timeout=PING_SECONDS)
        return bool(done)


async def _wake(topic: _Topic) -> None:
    followers = list(topic.followers)
    for place in range(0, len(followers), AT_ONCE):
        for follower in followers[place : place + AT_ONCE]:
            follower.wake()
        await asyncio.sleep(0)
