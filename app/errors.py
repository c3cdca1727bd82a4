"""The error tree.

    KtlError                       has a status and a code; rendered as problem+json
    |-- BadRequest          400    the request cannot be read
    |-- Unauthorized        401    no key, or an unknown one
    |-- Forbidden           403    the key lacks a scope
    |-- NotFound            404    no such thing, or another project's
    |-- Conflict            409    the thing is in a state that does not allow it
    |-- PreconditionFailed  412    If-Match named an older version, If-None-Match this one
    |-- TooLarge            413
    |-- UnsupportedMedia    415
    |-- Invalid             422    readable and wrong: `findings` say where
    |-- TooManyRequests     429    this caller has taken all that one may have at once
    |-- Unavailable         503    try again later
    `-- OverQuota           507    the project holds as much as it may: delete something
    WorkFailure                    a trial, a finalisation or an intake that ended badly; stored as
                                   code, stage and text on its row, never pickled
    `-- DamagedArtifact   409      a stored file is gone, or is not what its name says
    Fenced                         this worker lost its lease: stop, write nothing

Messages say what was expected and what came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar
from urllib.parse import quote


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and where: a JSON pointer into the body (`#/target/dataset`)."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None  # the name of a query, path or header parameter

    def as_json(self) -> dict[str, str]:
        members = {"detail": self.detail, "pointer": self.pointer, "parameter": self.parameter}
        return {name: value for name, value in members.items() if value is not None}


Coded = tuple[str, Finding]  # the code of the problem that it makes when it is the first


class KtlError(Exception):
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        code: str,
        detail: str,
        *findings: Finding,
        headers: dict[str, str] | None = None,
        left_off: int = 0,
    ) -> None:
        """`left_off`: findings that there are besides."""
        super().__init__(detail)
        self.left_off = left_off
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


class TooManyRequests(KtlError):
    status, title = 429, "Too many requests"


class Unavailable(KtlError):
    status, title = 503, "Not available now"


class OverQuota(KtlError):
    status, title = 507, "Insufficient storage"


LONGEST_NAME = 80  # of a name in a pointer: clients write them


def token(name: str) -> str:
    """A name within a JSON pointer, as RFC 6901 has it in a URI's fragment, shortened."""
    text = name[:LONGEST_NAME].replace("~", "~0").replace("/", "~1")
    return quote(text, safe="~!$&'()*+,;=:@?", errors="replace")


def invalid(code: str, detail: str, pointer: str) -> Invalid:
    """The common case: one finding at one place in the body."""
    return Invalid(code, detail, Finding(detail, pointer))


DETAIL_CHARACTERS = 1000


class FailureCode(StrEnum):
    """Reason why work ended badly. The first six are the surroundings' fault: `retry` makes sense.
    After `extra_missing` and `weights_unavailable` it does once the worker has the extra or the
    file, after the two of damage once the file is whole again."""

    WORKER_LOST = "worker_lost"
    STORAGE_FAILED = "storage_failed"
    DISK_FULL = "disk_full"
    OUT_OF_MEMORY = "out_of_memory"
    DEVICE_FAILED = "device_failed"
    DOWNLOAD_FAILED = "download_failed"
    EXTRA_MISSING = "extra_missing"
    ENCODER_REFUSED = "encoder_refused"
    WEIGHTS_UNAVAILABLE = "weights_unavailable"
    ARTIFACT_DAMAGED = "artifact_damaged"
    ARTIFACT_MISSING = "artifact_missing"
    DEPENDENCY_FAILED = "dependency_failed"
    DATASET_FAILED = "dataset_failed"
    DATASET_INVALID = "dataset_invalid"
    MODEL_INVALID = "model_invalid"
    QUOTA_EXCEEDED = "quota_exceeded"
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

# An intake that ended like this would end so again with the same upload, which is not kept then.
FINAL_OF_INTAKE = frozenset({FailureCode.DATASET_INVALID, FailureCode.QUOTA_EXCEEDED})


class WorkFailure(Exception):
    """Ends a trial, a finalisation or an intake with a typed reason.

    `reason` narrows the code for people and clients (an intake's `pickled_objects`). A detail that
    quotes much of what came is cut: it stands in every answer about the row. `findings`: each thing
    that is wrong, where there are several; `left_off`: how many there are besides.
    """

    def __init__(
        self,
        code: FailureCode,
        detail: str,
        *,
        stage: str = "",
        reason: str | None = None,
        pointer: str | None = None,
        findings: Sequence[Finding] = (),
        left_off: int = 0,
    ) -> None:
        if len(detail) > DETAIL_CHARACTERS:
            detail = f"{detail[:DETAIL_CHARACTERS]}…"
        super().__init__(detail)
        self.code, self.detail, self.stage = code, detail, stage
        self.reason, self.pointer = reason or str(code), pointer
        self.findings, self.left_off = tuple(findings), left_off

    def as_json(self) -> dict[str, Any]:
        """A problem as it is stored on the row and shown in `error`."""
        findings = self.findings or (Finding(self.detail, self.pointer),)
        return {
            "code": self.reason,
            "message": self.detail,
            "param": self.pointer,
            "stage": self.stage,
            "failure": str(self.code),
            "errors": [finding.as_json() for finding in findings],
            **({"errors_left_off": self.left_off} if self.left_off else {}),
        }


class DamagedArtifact(WorkFailure):
    """A stored file is gone, or its content is not the one that its name was made of. No waiting
    cures that: whoever knows whose file it is says with `named` what does."""

    def __init__(
        self,
        code: FailureCode,
        ref: str,
        what: str = "a stored file",
        cure: str = "restore it from a backup, or make anew what it belongs to",
    ) -> None:
        damage = "is gone" if code is FailureCode.ARTIFACT_MISSING else "is damaged"
        super().__init__(code, f"{what} {damage} ({ref}): {cure}")
        self.ref = ref

    def named(self, what: str, cure: str) -> "DamagedArtifact":
        return DamagedArtifact(self.code, self.ref, what, cure)


class Fenced(Exception):
    """The lease is another's now, or the row has ended: the caller stops and writes nothing."""
