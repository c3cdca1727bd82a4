"""How a worker shares its machine out among the trials that it trains at once."""

import os
from math import ceil, isqrt
from pathlib import Path

from app.settings import Settings
from worker.gpus import gpus

CONTROL_GROUP = Path("/sys/fs/cgroup/cpu.max")


def training_slots(settings: Settings) -> int:
    """As set, else one per GPU that works, else the square root of the cores, rounded up: a trial
    that is alone still has many cores, and many trials use them better one by one than all
    together."""
    return settings.training_slots or len(gpus().usable) or 1 + isqrt(cores() - 1)


def threads_a_slot(settings: Settings) -> int:
    return max(1, cores() // training_slots(settings))


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
