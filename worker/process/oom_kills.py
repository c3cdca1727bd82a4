"""The kernel ends processes where memory has run out: a child should be taken, not its worker, and
the worker should know why it was."""

import re
from contextlib import suppress
from pathlib import Path

from worker.machine.capacity import MEMORY_GROUPS, OWN_GROUPS, own_groups

OWN_SCORE = Path("/proc/self/oom_score_adj")
MACHINE = Path("/proc/vmstat")
CHILDS_SCORE = 500  # of 1000; a worker's own is 0


def offer_itself() -> None:
    """Called in a child: where a process must go, it goes before its worker or a database."""
    with suppress(OSError):  # no such system
        OWN_SCORE.write_text(str(CHILDS_SCORE))


class OomKills:
    """Says whether the kernel has ended a process for its memory since it was last asked: in this
    process's control group, where there is one, else on this machine."""

    def __init__(self) -> None:
        self._seen = _count()

    def rose(self) -> bool:
        before, self._seen = self._seen, _count()
        return self._seen > before


def _count() -> int:
    counters = [MACHINE]
    for folder in own_groups(OWN_GROUPS, MEMORY_GROUPS):
        counters = [folder / "memory.events", folder / "memory.oom_control", *counters]
    for file in counters:
        with suppress(OSError):
            if found := re.search(r"^oom_kill (\d+)$", file.read_text(), re.MULTILINE):
                return int(found.group(1))
    return 0
