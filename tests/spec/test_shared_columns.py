"""Sentences about the columns that two tables share."""

import pytest

from app.spec.shared_columns import SharedColumn, SharedColumns


def said(kind: str, distance: float) -> str:
    is_number = kind == "number"
    column = SharedColumn(
        name="height",
        source_name="height",
        kind=kind,
        measure="wasserstein" if is_number else "total_variation",
        distance=distance,
    )
    return SharedColumns(source=1, shared=[column], target_only=[], source_only=[]).furthest or ""


@pytest.mark.parametrize(
    ("kind", "distance", "is_proposed"),
    [("number", 0.98, True), ("number", 0.5, False), ("category", 1.0, False)],
)
def test_numbers_without_overlap_may_have_another_unit(
    kind: str, distance: float, is_proposed: bool
) -> None:
    assert "`height`: " in said(kind, distance)
    assert ("`domain_scaling`" in said(kind, distance)) == is_proposed
