"""Ways to disturb a service, each the matter of a moment. Each answers False where what it would
disturb is not there now."""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Timer

import psutil
from sqlalchemy import select, text

from app.database import Database
from app.tables.jobs import TrialRow
from tests.system.service import Service


@dataclass(frozen=True)
class Ground:
    """What is disturbed."""

    service: Service
    database_url: str
    store: Path
    dice: random.Random
    lease_seconds: float
    thaws: list[Timer] = field(default_factory=list)

    def thaw(self) -> None:
        """Returns when no process is stopped any more."""
        while self.thaws:
            self.thaws.pop().join()


Disturb = Callable[[Ground], bool]


def kill(victim: str, ground: Ground) -> bool:
    """Ends a process as a power cut would."""
    return bool([process for process in _found(victim, ground) if _still_there(process.kill)])


def freeze(victim: str, ground: Ground) -> bool:
    """Stops a process until its leases are another's, as a machine that swaps or is moved is."""
    frozen = [process for process in _found(victim, ground) if _still_there(process.suspend)]
    if frozen:
        _thaw_later(ground, frozen)
    return bool(frozen)


def cut_connections(ground: Ground) -> bool:
    """PostgreSQL ends all connections; to SQLite, which has none, nobody can write for a while."""
    if ground.database_url.startswith("sqlite"):
        with locked(ground.database_url):
            time.sleep(ground.dice.uniform(0.5, 2.0))
        return True
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with _opened(ground.database_url) as database, database.write() as session:
        return bool(session.execute(cut).all())


def damage(how: str, ground: Ground) -> bool:
    """The newest checkpoint of a trial that trains goes bad, and the trial needs it: its child is
    killed before it can make another."""
    children = _found("training", ground)
    stopped = [child for child in children if _still_there(child.suspend)]
    with _opened(ground.database_url) as database, database.read() as session:
        running = select(TrialRow.checkpoint).where(TrialRow.status == "running")
        refs = [*session.scalars(running.where(TrialRow.checkpoint.is_not(None)))]
    paths = [path for ref in refs if _has_content(path := ground.store / ref)]
    if paths:
        _DAMAGES[how](ground.dice.choice(paths), ground.dice)
    for child in stopped:
        _still_there(child.kill if paths else child.resume)
    return bool(paths and stopped)


def _has_content(path: Path) -> bool:
    """A file that an earlier damage cut to nothing can be neither cut nor flipped again."""
    return path.exists() and path.stat().st_size > 0


def _flip(path: Path, dice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    path.write_bytes(content)


def _cut(path: Path, dice: random.Random) -> None:
    os.truncate(path, dice.randrange(path.stat().st_size))


def _delete(path: Path, _: random.Random) -> None:
    path.unlink()


_DAMAGES = {"deleted": _delete, "cut": _cut, "flipped": _flip}
KINDS: dict[str, Disturb] = {
    **{
        f"{name} killed": partial(kill, name)
        for name in ("child", "lookout", "worker", "broker", "api")
    },
    **{
        f"{name} stopped": partial(freeze, name)
        for name in ("child", "lookout", "parent", "machine", "broker", "api")
    },
    "connections cut": cut_connections,
    **{f"checkpoint {how}": partial(damage, how) for how in _DAMAGES},
}
# A child is killed most often: it is quickest to come back.
DECK = ["child killed"] * 2 + ["child stopped"] + [*KINDS]


def deal(count: int, dice: random.Random) -> list[str]:
    """Kinds in a random order, in which each comes up as often as in the deck."""
    kinds: list[str] = []
    while len(kinds) < count:
        kinds += dice.sample(DECK, len(DECK))
    return kinds[:count]


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Nobody else can write."""
    lock = "LOCK TABLE jobs, trials, datasets, epochs, events IN ACCESS EXCLUSIVE MODE"
    with _opened(url) as database, database.write() as session:  # on SQLite that is the lock
        if not url.startswith("sqlite"):
            session.execute(text(lock))
        else:
            session.execute(text("SELECT 1"))
        yield


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.dispose()


def _found(victim: str, ground: Ground) -> list[psutil.Process]:
    try:
        return _looked_for(victim, ground)
    except psutil.NoSuchProcess:  # it has just ended
        return []


def _looked_for(victim: str, ground: Ground) -> list[psutil.Process]:
    service = ground.service
    match victim:
        case "child":  # one that trains, where one does
            children = _training(service) or service.worker_children()
            return ground.dice.sample(children, 1) if children else []
        case "training":
            return _training(service)
        case "parent":
            return [worker] if (worker := service.worker()) else []
        case "worker" | "machine":
            worker = service.worker()
            return [worker, *worker.children(recursive=True)] if worker else []
        case "lookout":
            return service.children("worker.process.lookout")
        case "broker":
            return service.children("valkey")
        case "api":
            return service.children("app.cli.main api")
    raise ValueError(victim)


def _training(service: Service) -> list[psutil.Process]:
    """A child that trains holds a slot: the file of its lock is open."""
    return [child for child in service.worker_children() if _holds_slot(child)]


def _holds_slot(child: psutil.Process) -> bool:
    try:
        return any("ktl-slots-" in file.path for file in child.open_files())
    except psutil.Error:
        return False


def _still_there(act: Callable[[], None]) -> bool:
    try:
        act()
    except psutil.NoSuchProcess:
        return False
    return True


def _thaw_later(ground: Ground, frozen: list[psutil.Process]) -> None:
    def thaw() -> None:
        for process in frozen:
            _still_there(process.resume)

    timer = Timer(ground.lease_seconds + 1, thaw)
    timer.start()
    ground.thaws.append(timer)
