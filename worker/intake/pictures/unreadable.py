"""Files that cannot be read as pictures: all named in one answer, or left out and counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from app.errors import Finding
from worker.intake.pictures.decoding import Reasons
from worker.intake.pictures.layout import Picture
from worker.intake.pictures.names import listed, spoken
from worker.intake.raw import pointer_to, refuse

MOST_NAMED = 100  # in one answer
IN_SENTENCE = 5  # of them


@dataclass(frozen=True)
class LeftOut:
    """files: names and reasons, by name. classes: folders of which no picture is left."""

    files: Sequence[tuple[str, str]]
    classes: Sequence[str]
    of: int  # pictures there were

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "left_out": len(self.files),
            "files": [{"file": name, "reason": reason} for name, reason in self.files[:MOST_NAMED]],
            "files_left_off": max(0, len(self.files) - MOST_NAMED),
        }

    @property
    def sentences(self) -> list[str]:
        if not self.files:
            return []
        said = [
            f"{len(self.files)} of {self.of} files cannot be read as pictures and were left out, "
            f"as `unreadable` in the spec says: {_told(self.files)}."
        ]
        if self.classes:
            said.append(f"No picture is left of the classes {listed(self.classes)}.")
        return said


def left_out(pictures: Sequence[Picture], unreadable: Reasons) -> LeftOut:
    before = {each.label for each in pictures if each.label}
    kept = {each.label for place, each in enumerate(pictures) if place not in unreadable}
    return LeftOut(_named(pictures, unreadable), sorted(before - kept), len(pictures))


def refuse_unreadable(pictures: Sequence[Picture], unreadable: Reasons) -> NoReturn:
    named = _named(pictures, unreadable)
    findings = [
        Finding(f"expected a picture, got {reason}", pointer_to(path))
        for path, reason in named[:MOST_NAMED]
    ]
    cure = "Take them out or save them anew, and upload again"
    if len(named) < len(pictures):
        cure += '; `unreadable`: "leave_out" in the spec takes in the others'
    detail = (
        f"expected files that can be read as pictures, got {len(named)} of {len(pictures)} that "
        f"cannot: {_told(named)}. {cure}"
    )
    left_off = max(0, len(named) - MOST_NAMED)
    refuse("unreadable_pictures", detail, named[0][0], findings, left_off)


def _named(pictures: Sequence[Picture], unreadable: Reasons) -> list[tuple[str, str]]:
    return [(spoken(pictures[place].entry.path), unreadable[place]) for place in sorted(unreadable)]


def _told(named: Sequence[tuple[str, str]]) -> str:
    told = "; ".join(f"`{path}`: {reason}" for path, reason in named[:IN_SENTENCE])
    return told + (f"; and {len(named) - IN_SENTENCE} more" if len(named) > IN_SENTENCE else "")
