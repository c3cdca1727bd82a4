"""One form of items of several parts for the network of a job, and items of each dataset in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from app.inputs.contract import InputsContract
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart, PartInputs
from app.inputs.joint_columns import Adoption, SourceColumns, joint_inputs
from app.inputs.matching import matched
from app.inputs.photo_features import PhotoFeaturesInputs
from app.inputs.table import ROW, TableInputs
from app.inputs.text import TEXT, Lengthened, TextInputs, joint_text
from app.tensors import Tensors


@dataclass(frozen=True)
class GivenParts:
    """A source's items. `rows`: of its training split."""

    inputs: InputsContract
    rows: int = 1
    is_learnt: bool = False  # a network has learnt by it, which therefore stays


def joint_parts(
    target: InputsContract, rows: int, sources: Sequence[GivenParts], uses_labels: bool = True
) -> JoinedInputs | None:
    """Finds what the one network of a job sees: what the first source whose network has learnt
    sees, else the target's parts with what the sources know of rows and texts; None where items are
    one part.

    Args:
        rows: of the target's training split.
        uses_labels: whether the target's rows are learnt from too.
    """
    if not isinstance(target, JoinedInputs):
        return None
    alike = [each for each in sources if isinstance(each.inputs, JoinedInputs)]
    for each in alike:
        if each.is_learnt and isinstance(each.inputs, JoinedInputs):
            return each.inputs
    parts = []
    for part in target.parts:
        theirs = [
            (other.inputs, each.rows)
            for each in alike
            if isinstance(each.inputs, JoinedInputs) and (other := each.inputs.part(part.name))
        ]
        joint = _joint(part.inputs, rows, theirs, uses_labels)
        parts.append(part.model_copy(update={"inputs": joint}))
    return target.model_copy(update={"parts": tuple(parts)})


def _joint(
    own: PartInputs, rows: int, theirs: Sequence[tuple[PartInputs, int]], uses_labels: bool
) -> PartInputs:
    match own:
        case TableInputs():
            given = [
                SourceColumns(each, matched(own, each).names, count)
                for each, count in theirs
                if isinstance(each, TableInputs)
            ]
            return joint_inputs(own, rows, given, uses_labels)
        case TextInputs():
            return joint_text(own, [each for each, _ in theirs]) or own
        case _:
            return own


@dataclass(frozen=True)
class JoinedAdoption:
    """The way in which items of one dataset become the network's: `joint`. `part`: that they are
    alone, where they are one."""

    joint: JoinedInputs
    part: str | None = None

    @property
    def key(self) -> str:
        """Digest of what items become: sha256, hexadecimal."""
        whole = self.joint.model_dump_json() + (self.part or "")
        return sha256(whole.encode()).hexdigest()

    def alone(self, own: PartInputs) -> JoinedInputs:
        """Returns the inputs of items that are one part, as if others stood beside it."""
        parts = tuple(
            part.model_copy(update={"inputs": own}) if part.name == self.part else part
            for part in self.joint.parts
        )
        return self.joint.model_copy(update={"parts": parts})

    def pictured(self, own: JoinedInputs) -> Iterator[tuple[JoinedPart, PhotoFeaturesInputs]]:
        """Parts of `own` whose pictures become features, and which."""
        for part in self.joint.parts:
            mine, seen = own.part(part.name), part.inputs
            if mine is None or not isinstance(seen, PhotoFeaturesInputs):
                continue
            if isinstance(mine.inputs, ImageInputs):
                yield mine, seen

    def changed(self, own: JoinedInputs) -> Iterator[tuple[JoinedPart, JoinedPart, "Change"]]:
        """Parts of `own` that do not stay as they are, their counterparts, and how they change."""
        for part in self.joint.parts:
            mine = own.part(part.name)
            if mine is None:
                continue
            change = _change(mine.inputs, part.inputs)
            if change is not None:
                yield mine, part, change


@dataclass(frozen=True)
class RowsChange:
    own: TableInputs
    adoption: Adoption

    def write(self, values: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """Rows without any value stay so: the part is missing."""
        self.adoption.rows(self.own, values, out)
        out[np.isnan(values).all(axis=1)] = np.nan


Change = RowsChange | Lengthened


def _change(own: PartInputs, joint: PartInputs) -> Change | None:
    match own, joint:
        case TableInputs(), TableInputs():
            adoption = Adoption(joint, matched(joint, own).names)
            return None if adoption.is_plain(own) else RowsChange(own, adoption)
        case TextInputs(), TextInputs():
            lengthened = Lengthened(joint)
            return None if lengthened.is_plain(own) else lengthened
    return None


def rewritten(change: Change, items: Tensors, part: JoinedPart, out: NDArray[np.generic]) -> None:
    """Writes a part's tensor of some items as the network has it."""
    match change:
        case RowsChange():
            change.write(np.asarray(items[f"{part.name}.{ROW}"]), out)  # type: ignore[arg-type]  # float32
        case Lengthened():
            change.rows(items[f"{part.name}.{TEXT}"], out)
