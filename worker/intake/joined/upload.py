"""Items of several parts as an upload brings them, before anything is split or checked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.inputs.joined_part import PART_NAME
from worker.intake.raw import Array, PictureFindings, refuse
from worker.intake.tables.records import Records

ROW_PART, IMAGE_PART = "row", "image"  # parts that have no name of their own
HOW = "a letter, then letters of ASCII, digits, - and _, 40 at most"


@dataclass(frozen=True)
class PartPictures:
    """Pictures of one part. values: (rows of the upload, height, width[, channels]), whatever
    stands where none is; known: (rows,)."""

    values: Array
    known: NDArray[np.bool_]


@dataclass(frozen=True)
class JoinedUpload:
    """
    records: a row for each item, of the training split first.
    pictures: by part.
    tables: by part its columns; columns that are in none of them are no features. None: all that
        can be learnt from are the part `row`.
    file_columns: those that name files.
    told: what the profile says of files and pictures; sentences beside it.
    """

    records: Records
    pictures: Mapping[str, PartPictures]
    tables: Mapping[str, tuple[str, ...]] | None = None
    file_columns: tuple[str, ...] = ()
    findings: PictureFindings | None = None
    label: str | None = None  # the column with the labels, where there is no other way to say it
    sentences: tuple[str, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)

    def part_of(self, column: str) -> str | None:
        """The table that a column is of."""
        if self.tables is None:
            return ROW_PART
        found = (part for part, columns in self.tables.items() if column in columns)
        return next(found, None)


def check_part_name(name: str, what: str) -> None:
    """Raises WorkFailure `dataset_invalid`."""
    if not re.fullmatch(PART_NAME, name):
        detail = f"expected a part's name in {what} ({HOW}), got another: rename it"
        refuse("wrong_part_name", detail, what[:80])
