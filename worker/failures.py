"""Any exception as a typed reason."""

import errno

from app.errors import FailureCode, WorkFailure
from app.jobs.memory import LESS_MEMORY


def as_failure(error: Exception) -> WorkFailure:
    if isinstance(error, WorkFailure):
        return error
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError):
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        return WorkFailure(FailureCode.DISK_FULL if full else FailureCode.STORAGE_FAILED, detail)
    # TensorFlow's own is no MemoryError, and is not imported here for its name.
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return WorkFailure(FailureCode.OUT_OF_MEMORY, f"{detail}; {LESS_MEMORY}")
    return WorkFailure(FailureCode.INTERNAL, detail)


def diverged(what: str, learning_rate: float, stage: str) -> WorkFailure:
    """Makes the failure of a network whose numbers are no longer finite, with what to try."""
    advice = (
        f"the learning rate was {learning_rate:g}: try {learning_rate / 10:g}, "
        "training.warmup_epochs, or training.gradient_clip_norm 1"
    )
    return WorkFailure(FailureCode.DIVERGED, f"{what}; {advice}", stage=stage)
