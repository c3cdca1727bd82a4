"""Memory for the next trial: what a child has kept from earlier ones goes when it has grown large.

Networks and compiled functions are kept because compiling takes seconds (training/program.py); a
child that trains many wide networks, one after the other, would keep sixteen of them.
"""

import gc
import os
from pathlib import Path

import structlog

from app.settings import Settings
from worker.machine.capacity import KEPT_SHARE, slot_bytes
from worker.training import features, program

log = structlog.get_logger(__name__)

STATM = Path("/proc/self/statm")
_settled: list[int] = []  # resident bytes after the last time that room was made


def release_memory(settings: Settings) -> None:
    now = resident()
    if not _settled:
        _settled.append(now)
    if now - _settled[0] <= KEPT_SHARE * slot_bytes(settings):
        return
    program.forget()
    features.forget()
    gc.collect()
    _settled[0] = resident()  # what is not given back now would not be the next time
    log.info("room_made", before_bytes=now, after_bytes=_settled[0])


def resident() -> int:
    """Bytes that this process has in memory; 0 where the system does not say."""
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
