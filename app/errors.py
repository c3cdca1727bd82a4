"""The error tree.

    KtlError                       has a status and a code; rendered as problem+json
    |-- BadRequest          400    the request cannot be read
    |-- Unauthorized        401    no key, or an unknown one
    |-- Forbidden           403    the key lacks a scope
    |-- NotFound            404    no such thing, or another project's
    |-- Conflict            409    the thing is in a state that does not allow it
    |-- PreconditionFailed  412    If-Match named an older version
    |-- TooLarge            413
    |-- UnsupportedMedia    415
    |-- Invalid             422    readable and wrong: `findings` say where
    `-- Unavailable         503    try again later
    WorkFailure                    a trial, a finalisation or an intake that ended badly; stored as
                                   code, stage and text on its row, never pickled
    Fenced                         this worker lost its lease: stop, write nothing

Messages say what was expected and what came.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and where: a JSON pointer into the body (`#/target/dataset`)."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None  # the name of a query, path or header parameter

    def as_json(self) -> dict[str, str]:
        members = {"detail": self.detail, "pointer": self.pointer, "parameter": self.parameter}
        return {name: value for name, value in members.items() if value is not None}


class KtlError(Exception):
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        code: str,
        detail: str,
        *findings: Finding,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.findings = code, detail, findings
        self.headers = headers or {}


class BadRequest(KtlError):
    status, title = 400, "Bad request"


class Unauthorized(KtlError):
    status, title = 401, "Unauthorized"


class Forbidden(KtlError):
    status, title = 403, "Forbidden"


class NotFound(KtlError):
    status, title = 404, "Not found"


class TooSlow(KtlError):
    status, title = 408, "Request timeout"


class Conflict(KtlError):
    status, title = 409, "Conflict"


class PreconditionFailed(KtlError):
    status, title = 412, "Precondition failed"


class TooLarge(KtlError):
    status, title = 413, "Content too large"


class UnsupportedMedia(KtlError):
    status, title = 415, "Unsupported media type"


class Invalid(KtlError):
    status, title = 422, "Invalid request"


class Unavailable(KtlError):
    status, title = 503, "Not available now"


def invalid(code: str, detail: str, pointer: str) -> Invalid:
    """The common case: one finding at one place in the body."""
    return Invalid(code, detail, Finding(detail, pointer))


class FailureCode(StrEnum):
    """Why work ended badly. The first five are the surroundings' fault: `retry` makes sense."""

    WORKER_LOST = "worker_lost"
    STORAGE_FAILED = "storage_failed"
    DISK_FULL = "disk_full"
    OUT_OF_MEMORY = "out_of_memory"
    DOWNLOAD_FAILED = "download_failed"
    DEPENDENCY_FAILED = "dependency_failed"
    DATASET_FAILED = "dataset_failed"
    DATASET_INVALID = "dataset_invalid"
    DIVERGED = "diverged"
    BUDGET = "budget"
    CANCELLED = "cancelled"
    PACKAGE_MISMATCH = "package_mismatch"
    INTERNAL = "internal"


# A job one of whose trials failed like this has failed: its evidence would lack a part by accident.
# The others are results, and the job goes on without them: a trial that diverged, one that the
# job's budget left no seconds for, one of a cancelled job, one that needed a trial which failed
# (that one's code decides).
ACCIDENTS = frozenset(FailureCode) - {
    FailureCode.DIVERGED,
    FailureCode.BUDGET,
    FailureCode.CANCELLED,
    FailureCode.DEPENDENCY_FAILED,
}


class WorkFailure(Exception):
    """Ends a trial, a finalisation or an intake with a typed reason.

    `reason` narrows the code for people and clients (an intake's `pickled_objects`).
    """

    def __init__(
        self,
        code: FailureCode,
        detail: str,
        *,
        stage: str = "",
        reason: str | None = None,
        pointer: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.stage = code, detail, stage
        self.reason, self.pointer = reason or str(code), pointer

    def as_json(self) -> dict[str, Any]:
        """A problem as it is stored on the row and shown in `error`."""
        finding = Finding(self.detail, self.pointer).as_json()
        return {
            "code": self.reason,
            "message": self.detail,
            "param": self.pointer,
            "stage": self.stage,
            "failure": str(self.code),
            "errors": [finding],
        }


class Fenced(Exception):
    """The lease is another's now, or the row has ended: the caller stops and writes nothing."""
