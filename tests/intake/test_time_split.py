"""The latest rows are for testing."""

from pathlib import Path

import pytest

from app.errors import WorkFailure
from tests.intake.tables import csv_text, kinds_of, rows_of, take_csv, x_of
from worker.intake.ingested import IngestedDataset

DAYS = [f"2026-03-{1 + place * 7 % 20:02}" for place in range(20)]  # each day once, in no order


def sides(taken: IngestedDataset, name: str) -> tuple[list[str], list[str]]:
    every, cut = [str(value) for value in rows_of(taken)[name].to_pylist()], taken.schema.splits
    return every[: cut["train"]], every[cut["train"] :]


@pytest.mark.parametrize(
    ("days", "test_from", "columns"),
    [
        (DAYS, "2026-03-17", {}),
        (DAYS, "2026-03-16T00:00:01Z", {}),
        ([f"{day[8:]}.03.2026" for day in DAYS], "17.03.2026", {}),
        ([f"{day[8:]}.03.2026" for day in DAYS], "2026-03-17", {}),
        ([f"03/{day[8:]}/26" for day in DAYS], "03/17/26", {"format": "%m/%d/%y"}),
        ([str(int(day[8:])) for day in DAYS], 17, {}),
        ([str(int(day[8:]) / 2) for day in DAYS], 8.5, {}),
    ],
)
def test_from_a_moment_on(
    tmp_path: Path, days: list[str], test_from: str | float, columns: dict[str, str]
) -> None:
    said = {"day": {"kind": "date", **columns}} if columns else {}
    split = {"time": "day", "test_from": test_from}
    taken = take_csv(tmp_path, csv_text(day=days), split=split, columns=said)
    train, test = sides(taken, "day")
    assert (len(train), len(test)) == (16, 4)
    whole = {day: int(DAYS[place][8:]) for place, day in enumerate(days)}
    heights = x_of(taken, "test")[:, 0]
    assert {round(float(height - 1.5) * 100) for height in heights} == {
        place for place, day in enumerate(days) if whole[day] >= 17
    }
    assert kinds_of(taken)["day"][1] == "time"
    assert [column.name for column in taken.schema.inputs.columns] == ["height", "city"]
    assert taken.profile["test_split"] == {"origin": "time"}
    assert any("or later are for testing: 4 of 20, 20.0%" in w for w in taken.profile["warnings"])


def test_the_latest_share_without_cutting_a_moment_apart(tmp_path: Path) -> None:
    split = {"time": "day", "test_fraction": 0.3}
    assert sides(take_csv(tmp_path, csv_text(day=DAYS), split=split), "day")[1] != []
    for fraction, expected in ((0.3, 8), (0.2, 2), (0.9, 18), (0.01, 2)):
        years = [2020] * 2 + [2021] * 10 + [2022] * 6 + [2023] * 2
        taken = take_csv(
            tmp_path,
            csv_text(year=years),
            split={"time": "year", "test_fraction": fraction},
        )
        train, test = sides(taken, "year")
        assert len(test) == expected
        assert not {*train} & {*test}
        assert min(test) > max(train)
    default = take_csv(tmp_path, csv_text(day=DAYS), split={"time": "day"})
    assert default.schema.splits == {"train": 16, "test": 4}


def test_the_share_is_of_rows_that_have_a_label(tmp_path: Path) -> None:
    """The latest rows have no label yet; none of them is learnt from beside earlier ones."""
    label = ["a", "b"] * 6 + [""] * 8
    days = [f"2026-03-{1 + place:02}" for place in range(20)]
    taken = take_csv(tmp_path, csv_text(day=days, label=label), split={"time": "day"})
    train, test = sides(taken, "day")
    assert [day[8:10] for day in test] == ["11", "12"]
    assert max(train) < min(test)
    assert taken.schema.splits == {"train": 10, "test": 2}
    assert taken.profile["left_out"]["test"] == 8


@pytest.mark.parametrize(
    ("day", "test_from", "reason", "pointer", "words"),
    [
        (["x", "y"] * 10, None, "no_times", "#/spec/split/time", "got category"),
        ([*DAYS[:-1], "soon"], None, "no_times", "#/spec/split/time", "got identifier"),
        ([*DAYS[:-1], ""], None, "no_times", "#/file/day", "1 rows without any, the first in line"),
        (["2026-03-01"] * 20, None, "one_time", "#/spec/split/time", "two moments"),
        (DAYS, "2027-01-01", "empty_split", "#/spec/split/test_from", "2026-03-20"),
        (DAYS, "2020-01-01", "empty_split", "#/spec/split/test_from", "all rows"),
        (DAYS, "tomorrow", "wrong_time", "#/spec/split/test_from", "expected a date"),
        (DAYS, 17, "wrong_time", "#/spec/split/test_from", "expected a date"),
        ([*range(20)], "2026-01-01", "wrong_time", "#/spec/split/test_from", "a number"),
    ],
)
def test_what_is_no_time(
    tmp_path: Path, day: list[object], test_from: object, reason: str, pointer: str, words: str
) -> None:
    split = {"time": "day"} | ({} if test_from is None else {"test_from": test_from})
    with pytest.raises(WorkFailure) as failure:
        take_csv(tmp_path, csv_text(day=day), split=split)
    assert (failure.value.reason, failure.value.pointer) == (reason, pointer)
    assert words in failure.value.detail
    with pytest.raises(WorkFailure) as failure:
        take_csv(tmp_path, csv_text(day=day), split={**split, "time": "days"})
    assert failure.value.reason == "unknown_column"


def test_a_kind_that_is_said_is_taken(tmp_path: Path) -> None:
    """Two forms fit: the spec has to say which."""
    day = [f"0{1 + place % 9}/0{1 + place // 9}/2026" for place in range(18)]
    text = csv_text(18, day=day)
    with pytest.raises(WorkFailure, match="can be read as"):
        take_csv(tmp_path, text, split={"time": "day"})
    said = {"day": {"kind": "date", "format": "%d/%m/%Y"}}
    taken = take_csv(tmp_path, text, split={"time": "day", "test_from": "01/02/2026"}, columns=said)
    assert taken.schema.splits == {"train": 9, "test": 9}
