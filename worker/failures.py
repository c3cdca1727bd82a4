"""Any exception as a typed reason."""

import errno
import os

from app.errors import FailureCode, WorkFailure
from app.spec.memory import LESS_MEMORY

_FULL = (errno.ENOSPC, errno.EDQUOT)
_TOLD = (*_FULL, errno.EROFS, errno.EACCES, errno.ENOENT, errno.ENOTDIR, errno.EIO)


def as_failure(error: Exception) -> WorkFailure:
    if isinstance(error, WorkFailure):
        return error
    detail = f"{type(error).__name__}: {error}"
    if number := file_error(error):
        full = number in _FULL
        return WorkFailure(FailureCode.DISK_FULL if full else FailureCode.STORAGE_FAILED, detail)
    # TensorFlow's own is no MemoryError, and is not imported here for its name.
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return WorkFailure(FailureCode.OUT_OF_MEMORY, f"{detail}; {LESS_MEMORY}")
    return WorkFailure(FailureCode.INTERNAL, detail)


def file_error(error: Exception) -> int | None:
    """The system's error number, where the error is one of files. TensorFlow, whose compiled
    programs are kept on disk, tells it in words alone, and has one class for disks and memory."""
    if isinstance(error, OSError):
        return error.errno or errno.EIO
    if type(error).__module__.startswith("tensorflow."):
        return next((number for number in _TOLD if os.strerror(number) in str(error)), None)
    return None


def diverged(what: str, learning_rate: float, stage: str) -> WorkFailure:
    """Makes the failure of a network whose numbers are no longer finite, with what to try."""
    advice = (
        f"the learning rate was {learning_rate:g}: try {learning_rate / 10:g}, "
        "training.warmup_epochs, or training.gradient_clip_norm 1"
    )
    return WorkFailure(FailureCode.DIVERGED, f"{what}; {advice}", stage=stage)
