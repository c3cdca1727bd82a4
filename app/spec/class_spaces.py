"""Comparison of the classes of source and target, by their names, in any order."""

from collections.abc import Iterable, Sequence

from app.datasets.near_names import near_names, shown
from app.datasets.schemas import Schema
from app.spec.sources import SourceFacts

SHOWN = 10  # classes of one side


def class_mismatch(sources: Sequence[SourceFacts], target: Schema) -> str | None:
    """Returns what a strategy that needs one set of classes has against these; None where it has
    nothing.

    Labels of the target's test split alone need not name every class: then the sources' classes
    are the target's, and must be those of the first.
    """
    for place, facts in enumerate(sources):
        source = "the source" if len(sources) == 1 else f"source {place + 1}"
        classes, wanted, other = facts.schema.classes, target.classes, "the target"
        if facts.is_general:
            return (
                f"expected the same classes in source and target, got in {source} a network whose "
                f"{len(classes)} classes are those that its weights were trained on"
            )
        if not target.has_labels("train") and set(wanted) <= set(classes):
            wanted, other = sources[0].schema.classes, "source 1"
        if set(classes) != set(wanted):
            return _told(source, set(classes) - set(wanted), other, set(wanted) - set(classes))
    return None


def _told(source: str, only_source: set[str], other: str, only_other: set[str]) -> str:
    sides = [
        f"only {whose} has {_listed(names)}"
        for whose, names in ((source, only_source), (other, only_other))
        if names
    ]
    said = f"expected the same classes in source and target, in any order: {'; '.join(sides)}"
    if near := near_names(sorted(only_source | only_other)):
        alike = " and ".join(shown(name) for name in near[0])
        said += f" ({alike} differ in spelling alone)"
    return f"{said}. Classes are matched by name: name them alike, or leave out items of the others"


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names, key=lambda name: (len(name), name))
    more = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    return ", ".join(f"`{name}`" for name in ordered[:SHOWN]) + more
