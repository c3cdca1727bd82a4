"""Any exception as a typed reason."""

import errno

from app.errors import FailureCode, WorkFailure


def as_failure(error: Exception) -> WorkFailure:
    if isinstance(error, WorkFailure):
        return error
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError):
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        return WorkFailure(FailureCode.DISK_FULL if full else FailureCode.STORAGE_FAILED, detail)
    # TensorFlow's own is no MemoryError, and is not imported here for its name.
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return WorkFailure(FailureCode.OUT_OF_MEMORY, detail)
    return WorkFailure(FailureCode.INTERNAL, detail)
