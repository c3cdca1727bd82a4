import pytest

from app.jobs.page import numbers


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0.0 s"),
        (4.24, "4.2 s"),
        (59.96, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3599.6, "1 h 0 min"),
        (7620, "2 h 7 min"),
    ],
)
def test_durations(seconds: float, expected: str) -> None:
    assert numbers.duration(seconds).replace(numbers.SPACE, " ") == expected


def test_what_is_unknown_is_a_dash() -> None:
    found = [numbers.score(None), numbers.signed(None), numbers.p_value(None), numbers.ratio(None)]
    assert [*found, numbers.bounds(None, 1.0)] == [numbers.NOTHING] * 5


def test_numbers_carry_a_true_minus() -> None:
    assert numbers.signed(-0.5) == "−0.5000"
    assert numbers.bounds(-0.01, 0.02, sign=True) == "[−0.0100, +0.0200]"


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-17, -1e-17])
def test_nothing_has_no_sign(value: float) -> None:
    assert numbers.signed(value) == numbers.score(value) == "0.0000"
    assert numbers.signed(0.00006) == "+0.0001"


def test_what_is_near_0_keeps_its_side() -> None:
    assert (numbers.signed(-0.00004), numbers.score(0.0000031)) == ("−4e−05", "3e−06")
    assert numbers.bounds(0.00002, 0.01, sign=True) == "[+2e−05, +0.0100]"
    assert numbers.bounds(-1e-17, 0.01, sign=True) == "[0.0000, +0.0100]"


def test_small_numbers_keep_their_meaning() -> None:
    assert numbers.p_value(0.0004) == "< 0.001"
    assert numbers.p_value(0.0312) == "0.031"
    assert numbers.percent(0.999) == "99.9\u202f%"
    assert numbers.count(20_800) == "20\u202f800"


def test_labels_are_shortened_to_one_line() -> None:
    assert numbers.short("a\n b", 8) == "a b"
    assert numbers.short("abcdefghij", 8) == "abcd…hij"
