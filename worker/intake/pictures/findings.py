"""Findings about the pictures and what came beside them, in facts and sentences."""

from app.inputs.pictures import DEEP
from worker.intake.pictures.classes import LABELS_COME
from worker.intake.pictures.form import Decided, Seen, squeezed
from worker.intake.pictures.layout import METADATA_KINDS, ArchiveLayout
from worker.intake.pictures.names import listed, spoken
from worker.intake.pictures.unreadable import LeftOut
from worker.intake.raw import PictureFindings


def findings_of(
    layout: ArchiveLayout, seen: Seen, decided: Decided, gone: LeftOut
) -> PictureFindings:
    form = decided.form
    changed = squeezed(seen, form)
    resized = seen.pictures - seen.sizes[form.height, form.width]
    facts = {
        "files": dict(sorted((+seen.formats).items())),
        "size": [form.height, form.width],
        "size_reason": decided.size_reason,
        "resized": resized,
        "proportions_changed": changed,
        "channels": form.channels,
        "channels_reason": decided.mode_reason,
        "bits": 16 if form.is_deep else 8,
        "turned_by_exif": seen.turned,
        "laid_over_white": seen.with_alpha,
        "first_frames": seen.moving,
        "other_files": dict(sorted(layout.junk.items())),
        "unreadable": gone.facts,
    }
    sentences = _sentences(layout, seen, decided, resized, changed)
    return PictureFindings(facts, (*gone.sentences, *sentences))


def _sentences(
    layout: ArchiveLayout, seen: Seen, decided: Decided, resized: int, changed: int
) -> list[str]:
    form = decided.form
    sentences = list(layout.sentences)
    if resized:
        sentences.append(
            f"{resized} of {seen.pictures} pictures were scaled to {form.height} x {form.width} "
            f"(height x width), because {decided.size_reason}. Nothing was cut off or added, and "
            f"{changed} of them change their proportions by a quarter or more; `image_size` in "
            "the spec chooses another size."
        )
    if 0 < seen.grey < seen.pictures:
        sentences.append(
            f"{seen.grey} of {seen.pictures} pictures are stored in grey: they became RGB as the "
            "others are."
        )
    if form.is_deep:
        sentences.append(
            f"All pictures are stored in grey with 16 bits: their values from 0 to {DEEP} are kept."
        )
    elif cut := seen.deep + seen.cut_to_8_bits:
        sentences.append(f"{cut} pictures with 16 bits per value became ones with 8.")
    if seen.with_alpha:
        sentences.append(f"{seen.with_alpha} pictures have transparency: white was laid under it.")
    if seen.moving:
        sentences.append(
            f"Of {seen.moving} animations and files of several pages the first picture was taken."
        )
    for kind, paths in sorted(layout.unread.items()):
        named = listed(list(map(spoken, paths)))
        hint = f"; {LABELS_COME}" if kind in METADATA_KINDS else ""
        sentences.append(f"{len(paths)} files that are {kind} were not read: {named}{hint}.")
    return sentences
