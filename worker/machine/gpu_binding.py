"""The GPU that a child of a worker computes on: one, for as long as it lives, because a process
that has woken CUDA cannot change it.

A file per living child says where it is bound. The folder is the worker's own.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import structlog
from filelock import FileLock

from worker.machine.gpus import VISIBLE

log = structlog.get_logger(__name__)


class GpuBinding:
    """`slots`: the worker's folder of slots. `number`: the GPU's among `gpus`, once `bind` has been
    called; None on a CPU."""

    def __init__(self, slots: Path, gpus: Sequence[str] = ()) -> None:
        self._slots, self._gpus = slots, gpus
        self.number: int | None = None
        self.has_failed = False

    def bind(self) -> None:
        """Chooses the GPU with the fewest children, of those the first without a trial; one that
        has failed only where all have. Call it after the fork and before TensorFlow's first word.
        """
        if not self._gpus:
            return
        with FileLock(self._slots / "binding.lock"):
            self.number = min(range(len(self._gpus)), key=self._reluctance)
            (self._slots / f"gpu-{self.number}-{os.getpid()}.child").touch()
        os.environ[VISIBLE] = self._gpus[self.number]

    def has_slot(self, slot: int) -> bool:
        """Tells whether the trials of a slot are for this child."""
        return self.number is None or slot % len(self._gpus) == self.number

    def leave_out(self) -> None:
        """Leaves out its GPU, which has failed: children to come choose another, until the worker
        starts anew."""
        if self.number is not None:
            log.error("gpu_failed", gpu=self._gpus[self.number], consequence="this child ends")
            (self._slots / f"gpu-{self.number}.failed").touch()
            self.has_failed = True

    def is_misplaced(self, slots: int) -> bool:
        """Tells whether one of the worker's `slots` is free while those of its own GPU are
        taken."""
        if self.number is None:
            return False
        free = {slot for slot in range(slots) if not is_taken(self._slots, slot)}
        return bool(free) and not any(map(self.has_slot, free))

    def _reluctance(self, gpu: int) -> tuple[bool, int, bool]:
        children = [
            file
            for file in self._slots.glob(f"gpu-{gpu}-*.child")
            if _is_alive(int(file.stem.rpartition("-")[2]))
        ]
        is_failed = (self._slots / f"gpu-{gpu}.failed").exists()
        return is_failed, len(children), is_taken(self._slots, gpu)


def is_taken(slots: Path, slot: int) -> bool:
    """Tells whether a trial runs in the slot now."""
    lock = FileLock(slots / f"{slot}.lock", blocking=False)
    try:
        lock.acquire()
    except TimeoutError:
        return True
    lock.release()
    return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
