"""How an encoder is refused, wherever it comes from."""

from app.errors import FailureCode, WorkFailure

STAGE = "encoder"


def refused(detail: str) -> WorkFailure:
    return WorkFailure(FailureCode.ENCODER_REFUSED, detail, stage=STAGE)
