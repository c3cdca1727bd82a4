"""Failures of arrays, told of the column that the labels stand in."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import FailureCode, WorkFailure
from worker.intake.raw import refuse


@contextmanager
def spoken_of(called: str, name: str | None) -> Iterator[None]:
    """Around what speaks of arrays: a failure names the column instead, where there is
    one."""
    try:
        yield
    except WorkFailure as failure:
        arrays = {f"#/file/{array}" for array in ("y_train", "y_test", "x_train", "class_names")}
        if failure.code is not FailureCode.DATASET_INVALID or failure.pointer not in arrays:
            raise
        detail = failure.detail
        for array in ("y_train", "y_test"):
            detail = detail.replace(array, called)
        refuse(failure.reason, detail, name)
