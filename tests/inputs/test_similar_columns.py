"""What is proposed to a user, and what is not."""

import numpy as np
import pytest

from app.inputs.columns import CategoryColumn, Column, NumberColumn
from app.inputs.similar_columns import name_likeness, similar_columns
from app.inputs.table import TableInputs


def table(*columns: Column) -> TableInputs:
    return TableInputs(columns=columns)


def number(name: str) -> NumberColumn:
    return NumberColumn(name=name, edges=(0.0, 1.0))


def proposed(target: TableInputs, source: TableInputs, *samples: np.ndarray) -> dict[str, str]:
    left = [column.name for column in target.columns], [column.name for column in source.columns]
    given = (samples[0], samples[1]) if samples else (None, None)
    return {each.name: each.source_name for each in similar_columns(target, source, left, given)}


@pytest.mark.parametrize(
    ("one", "other", "is_alike"),
    [
        ("chol", "cholesterol", True),
        ("age", "age_years", True),
        ("trestbps", "tresbps", True),
        ("max_heart_rate", "heart_rate_max", True),
        ("sex", "slope", False),
        ("a1", "a14", False),
        ("", "age", False),
    ],
)
def test_likeness_of_names(one: str, other: str, is_alike: bool) -> None:
    assert (name_likeness(one, other) >= 0.75) == is_alike
    assert name_likeness(one, other) == name_likeness(other, one)


def test_each_column_once_the_likest_first() -> None:
    target, source = table(number("chol"), number("cholest")), table(number("cholesterol"))
    assert len(proposed(target, source)) == 1
    assert proposed(table(number("cholest")), source) == {"cholest": "cholesterol"}


def test_other_kinds_are_not_proposed() -> None:
    source = table(CategoryColumn(name="ages", values=("x",)))
    assert proposed(table(number("age")), source) == {}


def test_categories_are_known_by_their_values() -> None:
    target = table(CategoryColumn(name="thal", values=("normal", "fixed", "reversible")))
    source = table(
        CategoryColumn(name="scan", values=("Reversible", "normal", "fixed")),
        CategoryColumn(name="grade", values=("low", "fixed", "high")),
    )
    assert proposed(target, source) == {"thal": "scan"}
    of_two = table(CategoryColumn(name="a", values=("y", "n")))
    assert proposed(of_two, table(CategoryColumn(name="b", values=("y", "n")))) == {}


def test_numbers_are_known_by_their_distribution() -> None:
    rng = np.random.default_rng(0)
    of_target = rng.normal(50, 9, (400, 1)).astype(np.float32)
    of_source = np.stack([rng.normal(120, 9, 400), rng.normal(50, 9, 400)], 1).astype(np.float32)
    target, source = table(number("x")), table(number("pressure"), number("q"))
    assert proposed(target, source, of_target, of_source) == {"x": "q"}
    assert proposed(target, source) == {}
    coarse = np.floor(of_target / 10), np.floor(of_source / 10)  # too few values to tell
    assert proposed(target, source, *coarse) == {}


def test_names_alike_of_quantities_that_do_not_overlap() -> None:
    rng = np.random.default_rng(0)
    years, seconds = (rng.normal(mean, 5, (100, 1)).astype(np.float32) for mean in (50, 900))
    target, source = table(number("age")), table(number("age_group"))
    assert proposed(target, source) == {"age": "age_group"}
    assert proposed(target, source, years, seconds) == {}


def test_of_too_many_pairs_none_is_looked_at() -> None:
    target = table(*(number(f"column{'x' * k}") for k in range(70)))
    source = table(*(number(f"columns{'x' * k}") for k in range(70)))
    assert proposed(target, source) == {}
