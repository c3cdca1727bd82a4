"""Which columns of two tables are the same."""

import pytest

from app.inputs.columns import CategoryColumn, Column, DateColumn, FlagColumn, NumberColumn
from app.inputs.matching import matched, name_key
from app.inputs.table import TableInputs


def table(*columns: Column) -> TableInputs:
    return TableInputs(columns=columns)


def number(name: str, unit: str = "") -> NumberColumn:
    return NumberColumn(name=name, unit=unit, edges=(0.0, 1.0))


def flag(name: str, *values: str) -> FlagColumn:
    return FlagColumn.model_validate({"name": name, "values": values})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Resting BP", "resting_bp"),
        ("resting_bp", "RestingBP"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"),
        ("\N{FULLWIDTH LATIN SMALL LETTER A}ge", " age"),
        ("STRASSE", "stra\N{LATIN SMALL LETTER SHARP S}e"),
    ],
)
def test_names_that_are_equal(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_names_that_are_not() -> None:
    assert len({name_key(name) for name in ("age", "ages", "age2", "a-ge")}) == 4


def test_the_same_name_comes_before_an_equal_one() -> None:
    target = table(number("Age"), number("age"))
    source = table(number("AGE"), number("age"))
    assert matched(target, source).names == {"age": "age", "Age": "AGE"}


def test_two_of_equal_names_are_nobodys_counterpart() -> None:
    target, source = table(number("age")), table(number("Age"), number("AGE"))
    assert matched(target, source).names == {}
    assert matched(source, target).names == {}
    assert matched(target, source, {"age": "AGE"}).names == {"age": "AGE"}


def test_names_stand_in_the_order_of_the_target() -> None:
    target = table(number("b"), number("c"), number("a"))
    source = table(number("A"), number("b"), number("x"))
    found = matched(target, source, {"c": "x"})
    assert list(found.names.items()) == [("b", "b"), ("c", "x"), ("a", "A")]
    assert found.confirmed == {"c"}


def test_what_the_job_says_comes_first() -> None:
    target, source = table(number("a"), number("b")), table(number("a"), number("b"))
    assert matched(target, source, {"a": "b", "b": "a"}).names == {"a": "b", "b": "a"}
    assert matched(target, source, {"a": None}).names == {"b": "b"}
    assert matched(target, source, {"a": "b"}).names == {"a": "b"}  # b's counterpart is taken


def test_kinds_that_differ_are_told_with_their_cure() -> None:
    target, source = table(number("age")), table(CategoryColumn(name="AGE", values=("old",)))
    found = matched(target, source)
    assert found.names == {}
    [unlike] = found.unlike
    assert (unlike.name, unlike.source_name) == ("age", "AGE")
    assert "a category in the source and a number in the target: `columns`" in unlike.reason


def test_units_that_differ_are_one_only_if_the_job_says_so() -> None:
    target, source = table(number("chol", "mmol/l")), table(number("chol", "mg/dl"))
    found = matched(target, source)
    assert found.names == {}
    assert "its unit is mg/dl in the source and mmol/l in the target" in found.unlike[0].reason
    assert matched(target, source, {"chol": "chol"}).names == {"chol": "chol"}
    assert matched(target, table(number("chol"))).names == {"chol": "chol"}


def test_flags_of_the_same_values_or_of_yes_and_no_are_one() -> None:
    said = table(flag("sex", "m", "f"))
    assert matched(said, table(flag("sex", "f", "m"))).names == {"sex": "sex"}
    found = matched(said, table(flag("sex", "male", "female")))
    assert found.names == {}
    assert "its two values are others" in found.unlike[0].reason
    assert "female" not in found.unlike[0].reason
    asked = table(flag("ill", "false", "true"))
    assert matched(asked, table(flag("ill", "No", "Yes"))).names == {"ill": "ill"}


def test_a_date_is_no_number() -> None:
    source = table(DateColumn(name="seen", edges=(0.0, 1.0)))
    assert matched(table(number("seen")), source).names == {}


def test_flags_are_one_however_their_values_are_written() -> None:
    one, other = table(flag("arm", "Control", "Treated")), table(flag("arm", "treated", "control "))
    assert matched(one, other).names == {"arm": "arm"}
