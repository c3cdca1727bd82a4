"""Check that the target has the columns by whose values its arms are to be told apart."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from app.datasets.schemas import Schema
from app.errors import Coded, Finding

if TYPE_CHECKING:
    from app.spec.spec import JobSpec

NEAR = 0.6  # of difflib's measure, from which a name may have been meant
SHOWN = 10  # names in one sentence
WITHOUT_VALUES = {
    "constant": "which has one value throughout",
    "identifier": "whose values differ from row to row",
    "text": "which holds free text",
    "image": "which names pictures",
}


def slice_findings(spec: "JobSpec", target: Schema) -> Iterator[Coded]:
    """All that is wrong with `evaluation.slices`."""
    slices, pointer = spec.evaluation.slices, "#/evaluation/slices"
    if not slices:
        return
    if not spec.trains_arms:
        detail = "expected no slices of a job that trains no arms: nothing is measured in it"
        yield "nothing_measured", Finding(detail, pointer)
        return
    if not target.columns:
        detail = (
            "expected a target whose items have columns, got one of arrays or class folders: "
            "upload a table, or pictures with a metadata.csv that has a row for each"
        )
        yield "no_columns", Finding(detail, pointer)
        return
    if not target.has_labels("test"):
        detail = "expected labels in the target's test split, without which no slice is measured"
        yield "no_labels", Finding(detail, pointer)
    known = {column.name: column for column in target.columns}
    for place, name in enumerate(slices):
        at = f"{pointer}/{place}"
        if name in slices[:place]:
            yield "invalid_value", Finding("expected each column once", at)
        elif name not in known:
            near = get_close_matches(name, known, 3, NEAR)
            told = f"near it are {_listed(near)}" if near else f"there are {_listed([*known])}"
            detail = f"expected a column of the target, got `{name[:80]}`; {told}"
            yield "unknown_column", Finding(detail, at)
        elif why := WITHOUT_VALUES.get(known[name].kind):
            detail = f"expected a column with values that several items share, got `{name}`, {why}"
            yield "column_without_slices", Finding(detail, at)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"`{name}`" for name in names[:SHOWN]) + more
