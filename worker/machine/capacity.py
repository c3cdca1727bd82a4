"""Shares of its machine that a worker gives out among the trials that it trains at once."""

import os
from contextlib import suppress
from math import ceil, isqrt
from pathlib import Path

from app.settings import Settings
from worker.machine.gpus import gpus

CONTROL_GROUP = Path("/sys/fs/cgroup/cpu.max")
OWN_GROUPS, MEMORY_GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")

TENSORFLOW_BYTES = 3 * 2**28  # of its libraries and tables, once for all children
MARGIN = 0.2  # of the memory: the system, the API, the broker, an intake
KEPT_SHARE = 0.2  # of what trials have: networks that a child keeps for the next ones (room.py)


def training_slots(settings: Settings) -> int:
    """Number of slots as set, else one per GPU that works, else the square root of the cores,
    rounded up: a trial that is alone still has many cores, and many trials use them better one by
    one than all together."""
    return settings.training_slots or len(gpus().usable) or 1 + isqrt(cores() - 1)


def threads_a_slot(settings: Settings) -> int:
    return max(1, cores() // training_slots(settings))


def slot_bytes(settings: Settings) -> int:
    """Memory that a trial may take beside TensorFlow's own: as set, else the machine's, less what
    is left to others and to what a child keeps from trial to trial, by the slots."""
    if settings.slot_memory_bytes:
        return settings.slot_memory_bytes
    trials = (1 - MARGIN) * memory() - TENSORFLOW_BYTES
    return max(0, int((1 - KEPT_SHARE) * trials)) // training_slots(settings)


def memory() -> int:
    """That this process may use, not all that the machine has: a container may have less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_limits(OWN_GROUPS, MEMORY_GROUPS)])


def _limits(own: Path, mounted: Path) -> list[int]:
    """Limits of the process's control group and of those that it is in, of both versions."""
    found = []
    for folder in own_groups(own, mounted):
        for group in (folder, *folder.parents):
            if mounted in group.parents or group == mounted:
                for file in ("memory.max", "memory.limit_in_bytes"):
                    with suppress(OSError, ValueError):  # no such file; "max"
                        found.append(int((group / file).read_text()))
    return found


def own_groups(own: Path, mounted: Path) -> list[Path]:
    """Folders of the process's control groups that count memory. In a container their path may be
    that of the machine outside; then the container's is mounted in the root's place."""
    found = []
    with suppress(OSError):
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in {"", "memory"}:
                root = mounted / controllers
                folder = root / path.lstrip("/")
                found.append(folder if folder.is_dir() else root)
    return found


def cores() -> int:
    """That this process may use, not those of the machine: a container may have a share of them."""
    allowed = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    return min(allowed, _quota(CONTROL_GROUP) or allowed)


def _quota(file: Path) -> int | None:
    """Whole cores of a control group's `cpu.max`, "200000 100000"; None without a limit."""
    try:
        microseconds, period = file.read_text().split()
        return max(1, ceil(int(microseconds) / int(period)))
    except (OSError, ValueError):  # no such file; "max"
        return None
