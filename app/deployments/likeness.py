"""Whether one model can answer what another is asked, so that no client notices."""

from app.inputs.table import TableInputs
from app.models.schemas import Signature


def differences(candidate: Signature, current: Signature) -> list[str]:
    """Says why not, a sentence each."""
    told = []
    ours, theirs = candidate.inputs, current.inputs
    if ours.modality != theirs.modality:
        told.append(f"expected items of {theirs.modality}, got {ours.modality}")
    elif isinstance(ours, TableInputs) and isinstance(theirs, TableInputs):
        columns, wanted = ({(c.name, c.kind) for c in each.columns} for each in (ours, theirs))
        if columns != wanted:
            odd = sorted(f"`{name}` ({kind})" for name, kind in columns ^ wanted)
            told.append(f"expected the same columns, got others: {', '.join(odd[:10])}")
    elif ours.asked != theirs.asked:
        told.append(f"expected items of {theirs.summary}, got {ours.summary}")
    if candidate.task.kind != current.task.kind:
        told.append(f"expected a {current.task.kind}, got a {candidate.task.kind}")
    elif candidate.task.names != current.task.names:
        told.append(_names(candidate.task.names, current.task.names))
    elif candidate.task.unit != current.task.unit:
        told.append(f"expected the unit `{current.task.unit}`, got `{candidate.task.unit}`")
    return told


def _names(ours: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    odd = sorted({*ours} ^ {*theirs})
    if not odd:
        return "expected the same classes in the same order, got another order"
    named = ", ".join(f"`{name}`" for name in odd[:10])
    return f"expected the same classes, got others: only one of the two has {named}"
