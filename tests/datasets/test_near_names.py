import pytest

from app.datasets.near_names import near_names, shown


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["cat", "Cat", "dog"], [("cat", "Cat")]),
        (["cat", "cat ", " cat"], [("cat", "cat ", " cat")]),
        (["a  b", "a b", "a\tb", "ab"], [("a  b", "a b", "a\tb")]),
        (["caf\u00e9", "cafe\u0301"], [("caf\u00e9", "cafe\u0301")]),
        (["\uff23at", "cat"], [("\uff23at", "cat")]),  # a full-width C
        (["stra\u00dfe", "STRASSE"], [("stra\u00dfe", "STRASSE")]),
        (["1", "01", "1.0", "+1", "10"], [("1", "01", "1.0", "+1")]),
        (["0", "-0", "1e3", "1000"], [("0", "-0")]),
        (["a", "b", "c"], []),
    ],
)
def test_groups(names: list[str], groups: list[tuple[str, ...]]) -> None:
    assert near_names(names) == groups


def test_what_looks_alike_is_written_out() -> None:
    assert shown("cat ") == "`cat `"
    assert shown("cafe\u0301") == "`cafe\u0301` (cafe\\u0301)"
