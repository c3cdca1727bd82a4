"""One set of columns for several tables, and rows of each as rows of it."""

import numpy as np
import pytest

from app.inputs.columns import (
    ABSENT,
    BINS,
    MOST_VALUES,
    CategoryColumn,
    Column,
    DateColumn,
    FlagColumn,
    NumberColumn,
)
from app.inputs.joint_columns import Adoption, SourceColumns, adopted, joint_inputs
from app.inputs.joint_edges import joint_edges, joint_edges_of_many
from app.inputs.table import TableInputs

NAN = np.nan


def table(*columns: Column) -> TableInputs:
    return TableInputs(columns=columns)


def number(name: str, *edges: float, misses: bool = False) -> NumberColumn:
    return NumberColumn(name=name, edges=edges, misses=misses)


def category(name: str, *values: str, others: bool = False) -> CategoryColumn:
    return CategoryColumn(name=name, values=values, others=others, misses=False)


def test_edges_of_few_values_are_all_of_them() -> None:
    assert joint_edges([((0.0, 1.0, 2.0), 10), ((0.0, 1.0, 5.0), 1000)]) == (0, 1, 2, 5)
    assert joint_edges([((), 10), ((3.0,), 0)]) == (3,)
    assert joint_edges([((), 10)]) == ()


def test_equal_edges_stay() -> None:
    edges = tuple(float(edge) for edge in np.random.default_rng(0).normal(size=BINS + 1).cumsum())
    edges = tuple(sorted(edges))
    assert joint_edges([(edges, 10), (edges, 90)]) == edges


def test_edges_of_many_columns_are_those_of_each() -> None:
    """Tables with as many edges and with fewer, equal edges, and none."""
    rng = np.random.default_rng(0)
    columns = {}
    for number in range(240):
        lengths = [(17, 17), (17,), (5, 9), (17, 17, 12), (0, 17), (0,)][number % 6]
        digits = (1, 6)[number // 6 % 2]
        columns[str(number)] = [
            (tuple(np.unique(rng.normal(size=length).round(digits)).tolist()), weight)
            for length, weight in zip(lengths, (100, 37, 60), strict=False)
        ]
    found = joint_edges_of_many(columns)
    assert found == {name: joint_edges(tables) for name, tables in columns.items()}
    assert joint_edges_of_many({}) == {}


def test_quantiles_of_both_weigh_by_their_rows() -> None:
    """17 edges in 0..16 and 17 in 100..116: of a table that weighs three times as much, three
    times as many stay."""
    low, high = (tuple(float(k + start) for k in range(BINS + 1)) for start in (0, 100))
    even = np.array(joint_edges([(low, 50), (high, 50)]))
    assert (even[0], even[-1], len(even)) == (0, 116, BINS + 1)
    assert (even < 50).sum() == 9
    uneven = np.array(joint_edges([(low, 75), (high, 25)]))
    assert (uneven < 50).sum() == 13
    assert (uneven[0], uneven[-1]) == (0, 116)


def test_the_columns_are_the_targets() -> None:
    target = table(number("b", 0, 1), category("c", "x", "y"), number("a", 0, 4))
    source = table(category("C", "z", "y"), number("z", 0, 9), number("b", 2, 3))
    joint = joint_inputs(target, 10, [SourceColumns(source, {"b": "b", "c": "C"}, 20)])
    assert joint == table(number("b", 0, 1, 2, 3), category("c", "x", "y", "z"), number("a", 0, 4))


def test_values_beyond_the_cap_are_the_sources_last() -> None:
    own = tuple(f"t{k}" for k in range(200))
    theirs = tuple(f"s{k}" for k in range(100))
    source = table(category("c", *theirs))
    joint = joint_inputs(table(category("c", *own)), 1, [SourceColumns(source, {"c": "c"})])
    [column] = joint.columns
    assert column == category("c", *own, *theirs[:56], others=True)
    assert MOST_VALUES == 256
    rows = adopted(source, joint, {"c": "c"}, np.array([[0], [55], [56], [100], [NAN]]))
    assert rows[:4, 0].tolist() == [200, 255, 256, 256]
    assert np.isnan(rows[4, 0])


def test_a_models_edges_stay_as_they_were_learnt() -> None:
    model, data = table(number("a", 0, 5)), table(number("a", 100, 200))
    names = {"a": "a"}
    given = [SourceColumns(data, names, 10**6), SourceColumns(model, names, is_learnt=True)]
    assert joint_inputs(table(number("a", 1, 2)), 10, given) == table(number("a", 0, 5))


def test_missing_values_count_where_they_are_learnt_from() -> None:
    """Without target labels nothing is learnt of what the target's rows alone lack."""
    target, source = table(number("a", 0, 1, misses=True)), table(number("a", 0, 1))
    given = [SourceColumns(source, {"a": "a"})]
    assert joint_inputs(target, 1, given).columns[0].misses
    assert not joint_inputs(target, 1, given, uses_labels=False).columns[0].misses
    assert joint_inputs(target, 1, given, uses_labels=False, hides="all").columns[0].misses
    assert joint_inputs(target, 1, given, uses_labels=False, hides="lacking").columns[0].misses
    assert not joint_inputs(source, 1, given, hides="lacking").columns[0].misses
    alone = [SourceColumns(source, {})]
    assert joint_inputs(target, 1, alone, uses_labels=False).columns[0].misses


def test_rows_go_to_the_columns_of_their_meaning() -> None:
    source = table(
        category("City", "Oslo", "Rome"),
        number("gone", 0, 1),
        FlagColumn(name="smokes", values=("yes", "no")),
        number("years", 0, 1),
    )
    target = table(
        number("age", 0, 1),
        number("new", 0, 1),
        category("city", "Rome", "Bonn"),
        FlagColumn(name="smokes", values=("no", "yes")),
        DateColumn(name="seen", edges=(0.0, 9.0)),
    )
    names = {"age": "years", "city": "City", "smokes": "smokes"}
    joint = joint_inputs(target, 1, [SourceColumns(source, names)])
    assert joint.columns[2] == category("city", "Rome", "Bonn", "Oslo")
    rows = adopted(source, joint, names, np.array([[0, 7, 0, 30], [1, 7, 1, NAN], [2, 7, NAN, 5]]))
    expected = [
        [30, ABSENT, 2, 1, ABSENT],
        [NAN, ABSENT, 0, 0, ABSENT],
        [5, ABSENT, 3, NAN, ABSENT],
    ]
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, np.array(expected, np.float32))
    own = {column.name: column.name for column in target.columns}
    kept = adopted(target, joint, own, np.array([[1, 2, 2, 0, 3], [1, 2, 1, 1, NAN]]))
    np.testing.assert_array_equal(kept[0], np.array([1, 2, 3, 0, 3], np.float32))  # other moves
    np.testing.assert_array_equal(kept[1], np.array([1, 2, 1, 1, NAN], np.float32))


@pytest.mark.parametrize(
    ("own", "is_plain"),
    [
        (table(number("a", 0, 1), category("c", "x", "y")), True),
        (table(number("a", 5, 9), category("c", "x", "y")), True),
        (table(number("a", 0, 1), category("c", "y", "x")), False),
        (table(number("a", 0, 1), category("c", "x")), False),
        (table(category("c", "x", "y"), number("a", 0, 1)), False),
        (table(number("a", 0, 1), category("c", "x", "y"), number("d", 0, 1)), False),
    ],
)
def test_rows_that_need_no_rewriting(own: TableInputs, is_plain: bool) -> None:
    joint = table(number("a", 0, 1), category("c", "x", "y"))
    adoption = Adoption(joint, {"a": "a", "c": "c"})
    assert adoption.is_plain(own) == is_plain


def test_the_key_tells_what_rows_become() -> None:
    joint, other = table(number("a", 0, 1), number("b", 0, 1)), table(number("a", 0, 1))
    keys = {
        Adoption(joint, {"a": "a"}).key,
        Adoption(joint, {"a": "b"}).key,
        Adoption(joint, {"a": "a", "b": "b"}).key,
        Adoption(other, {"a": "a"}).key,
    }
    assert len(keys) == 4


def test_values_that_differ_in_their_writing_alone_are_one() -> None:
    """Case, spaces and Unicode's forms; two of one table stay two, as they are in that table."""
    source = table(category("c", "Male", "FEMALE ", "Zu\u0308rich", "x", "X", "other city"))
    target = table(category("c", "male", "female", "Z\u00fcrich", "y"))
    joint = joint_inputs(target, 1, [SourceColumns(source, {"c": "c"})])
    assert joint == table(
        category("c", "male", "female", "Z\u00fcrich", "y", "x", "X", "other city")
    )
    rows = adopted(source, joint, {"c": "c"}, np.arange(7)[:, None])
    assert rows[:, 0].tolist() == [0, 1, 2, 4, 5, 6, 7]
    both = table(category("c", "cat", "Cat"))
    kept = joint_inputs(both, 1, [SourceColumns(table(category("c", "CAT", "Cat")), {"c": "c"})])
    assert kept == table(category("c", "cat", "Cat"))
    flags = [FlagColumn(name="f", values=each, misses=False) for each in (("a", "B"), ("b", "A"))]
    turned = adopted(table(flags[1]), table(flags[0]), {"f": "f"}, np.array([[0], [1], [NAN]]))
    np.testing.assert_array_equal(turned[:, 0], [1, 0, NAN])
