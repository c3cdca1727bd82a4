"""Ids that are made together are as others are."""

from ulid import ULID

from app.identifiers import new_id, new_ids


def test_many_are_ids_in_their_order() -> None:
    ids = new_ids("trial", 3000)
    assert len({*ids}) == 3000
    assert ids == sorted(ids)
    assert all(str(ULID.from_str(each.removeprefix("trial_"))) == each[6:] for each in ids)
    assert len(ids[0]) == len(new_id("trial"))
    assert abs(ULID.from_str(ids[0][6:]).timestamp - ULID().timestamp) < 60


def test_two_lots_share_none() -> None:
    lots = [new_ids("trial", 10) for _ in range(100)]
    assert len({each for lot in lots for each in lot}) == 1000
