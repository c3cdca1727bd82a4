"""POST /v1/datasets with `from` and a choice: classes and rows of arrays."""

import json
from functools import partial
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.access.authentication import DEFAULT_PROJECT
from app.cli.datasets import app as cli
from tests.datasets.animals import NAMES, animals
from tests.datasets.derived import House
from tests.intake.archives import arrays, npz_bytes, pictures
from tests.intake.test_intake import row_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_some_classes_become_a_dataset_of_their_own(house: House, origin: str) -> None:
    asked = house.ask(origin, classes=["cat", "dog"])
    assert asked.status_code == 202
    assert asked.headers["Location"] == f"/v1/datasets/{asked.json()['id']}"
    assert (asked.json()["status"], asked.json()["origin"]) == ("ingesting", origin)
    part = house.taken_in(asked.json()["id"])
    assert part["status"] == "ready"
    assert part["schema"]["task"]["classes"] == ["dog", "cat"]  # as the origin has them
    assert part["schema"]["class_counts"] == {"train": [10, 10], "test": [3, 3]}
    kept = np.isin(np.arange(40) % 4, [1, 2])
    assert np.array_equal(house.array(part["id"], "x_train")[..., 0], pictures(40)[kept])
    assert house.array(part["id"], "y_train").tolist() == [0, 1] * 10
    derived = part["profile"]["derived"]
    assert (derived["from"], derived["classes"]) == (origin, ["cat", "dog"])
    assert derived["sentence"] == (
        f"Derived from origin ({origin}), the classes `cat`, `dog`: 20 of 40 training items and 6 "
        "of 12 test items."
    )


def test_equal_data_have_equal_hashes(house: House, origin: str) -> None:
    kept, kept_test = np.isin(np.arange(40) % 4, [1, 2]), np.isin(np.arange(12) % 4, [1, 2])
    uploaded = house.upload(
        animals(
            x_train=pictures(40)[kept],
            y_train=(np.arange(40) % 4)[kept] - 1,
            x_test=pictures(12, seed=1)[kept_test],
            y_test=(np.arange(12) % 4)[kept_test] - 1,
            class_names=NAMES[1:3],
        )
    )
    part = house.derive(origin, classes=["dog", "cat"])
    assert part["content_hash"] == uploaded["content_hash"]
    assert house.derive(origin, classes=["cat", "dog"])["content_hash"] == part["content_hash"]


def test_rows_are_drawn_by_class_and_seed(house: House, origin: str) -> None:
    parts = [house.derive(origin, rows=10, seed=seed) for seed in (0, 0, 1)]
    counts = [part["schema"]["class_counts"]["train"] for part in parts]
    assert sorted(counts[0]) == [2, 2, 3, 3]
    assert parts[0]["content_hash"] == parts[1]["content_hash"] != parts[2]["content_hash"]
    assert parts[0]["schema"]["splits"] == {"train": 10, "test": 12}
    drawn = house.array(parts[0]["id"], "x_train")[..., 0]
    assert all((drawn[i] == pictures(40)).all(axis=(1, 2)).any() for i in range(10))


def test_items_can_be_split_anew(house: House, origin: str) -> None:
    split = {"test_fraction": 0.5, "seed": 3}
    part = house.derive(origin, classes=["dog", "cat"], split=split)
    assert part["schema"]["class_counts"] == {"train": [7, 6], "test": [6, 7]} or (
        part["schema"]["splits"] == {"train": 13, "test": 13}
    )
    both = [house.array(part["id"], f"x_{split}")[..., 0] for split in ("train", "test")]
    of_origin = np.concatenate([pictures(40), pictures(12, seed=1)])
    kept = of_origin[np.isin(np.concatenate([np.arange(40), np.arange(12)]) % 4, [1, 2])]
    assert sorted(x.tobytes() for x in np.concatenate(both)) == sorted(x.tobytes() for x in kept)
    assert "split anew: 26 of 52 items, of which 13" in part["profile"]["derived"]["sentence"]
    fewer = house.derive(origin, rows=20, split={})["schema"]
    assert fewer["class_counts"] == {"train": [4] * 4, "test": [1] * 4}


def test_a_range_is_that_of_the_rows_that_are_left_unless_a_spec_said_it(house: House) -> None:
    dark = pictures(40)
    dark[np.arange(40) % 4 < 2] //= 128  # 0 and 1 in the first two classes
    unsaid = house.upload(animals(x_train=dark))["id"]
    said = house.upload(animals(x_train=dark), value_range=[0, 300])["id"]
    part = house.derive(unsaid, classes=["eel", "dog"])
    assert part["schema"]["inputs"]["value_range"] == [0, 1]
    for of in (said, house.derive(said, classes=["eel", "dog"])["id"]):
        part = house.derive(of, classes=["eel", "dog"])
        assert part["schema"]["inputs"]["value_range"] == [0, 300]


def test_quantities_stay_quantities(house: House) -> None:
    held = arrays(y_train=np.arange(12), y_test=np.arange(6))
    origin = house.upload({"a.npz": npz_bytes(**held)}, task="regression", unit="g")["id"]
    part = house.derive(origin, rows=5)
    task = part["schema"]["task"]
    assert (task["kind"], task["unit"]) == ("regression", "g")
    assert task["mean"] == pytest.approx(house.array(part["id"], "y_train").mean())
    refused = house.ask(origin, classes=["1", "2"])
    assert (refused.status_code, refused.json()["code"]) == (422, "no_classes")


def test_some_of_several_labels_of_all_items(house: House) -> None:
    y = np.random.default_rng(0).integers(0, 2, (12, 3))
    held = arrays(y_train=y, y_test=y[:6], class_names=np.array(["red", "big", "new"]))
    origin = house.upload({"a.npz": npz_bytes(**held)})["id"]
    part = house.derive(origin, classes=["new", "red"])
    assert part["schema"]["task"]["labels"] == ["red", "new"]
    assert np.array_equal(house.array(part["id"], "y_train"), y[:, [0, 2]])


def test_items_without_labels_can_be_drawn(house: House) -> None:
    origin = house.upload(animals(y_train=None, y_test=None, class_names=None))["id"]
    assert house.derive(origin, rows=7)["schema"]["splits"] == {"train": 7, "test": 12}
    refused = house.ask(origin, classes=["cat", "dog"])
    assert (refused.status_code, refused.json()["code"]) == (422, "labels_missing")


def test_of_the_catalogue_without_asking_for_it_first(house: House) -> None:
    part = house.derive("catalog:digits", classes=["3", "8"])
    assert part["schema"]["task"]["classes"] == ["3", "8"]
    assert part["schema"]["class_counts"]["train"] == [146, 139]
    assert house.client.get("/v1/datasets").json()["data"] == [
        {**part, "classes_left_off": 0}
    ]  # and no other
    whole = house.client.post("/v1/datasets", json={"from": "catalog:digits"}).json()["id"]
    assert house.taken_in(whole)["schema"]["task"]["classes"] == list("0123456789")
    again = house.derive("catalog:digits", classes=["3", "8"])
    assert again["content_hash"] == part["content_hash"]


@pytest.mark.parametrize(
    ("choice", "code", "pointer", "told"),
    [
        ({}, "nothing_chosen", "#/from", "or a dataset of this project and `where`"),
        ({"classes": ["dog", "Caat"]}, "unknown_class", "#/classes/1", "near it are `cat`"),
        ({"classes": ["dog", "dog"]}, "invalid_value", "#/classes/1", "again"),
        ({"classes": ["dog"]}, "invalid_value", "#/classes", "at least 2"),
        ({"rows": 41}, "too_many_rows", "#/rows", "the 40 training items"),
        ({"rows": 1}, "invalid_value", "#/rows", "2"),
        ({"where": {"hospital": ["va"]}}, "no_columns", "#/where", "have no columns"),
        ({"columns": ["age"]}, "no_columns", "#/columns", "have no columns"),
        ({"class": ["dog"]}, "unknown_field", "#/class", "not known"),
        ({"seed": 3, "classes": ["dog", "cat"]}, "invalid_value", "#", "beside `rows`"),
        ({"split": {"column": "split"}}, "no_columns", "#/split", "have no columns"),
        ({"rows": 53, "split": {}}, "too_many_rows", "#/rows", "the 52 items"),
        ({"rows": 10, "seed": -1}, "invalid_value", "#/seed", "0"),
    ],
)
def test_a_choice_that_the_origin_does_not_have(
    house: House, origin: str, choice: dict[str, Any], code: str, pointer: str, told: str
) -> None:
    answer = house.ask(origin, **choice)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert told in answer.json()["detail"]


def test_what_only_the_rows_tell_is_told_by_the_intake(house: House, origin: str) -> None:
    few = house.derive(origin, rows=3)
    assert (few["status"], few["error"]["code"]) == ("failed", "too_few_rows")
    assert few["error"]["param"] == "#/rows"
    many = house.derive(origin, rows=30, classes=["cat", "dog"])
    assert (many["error"]["code"], many["error"]["param"]) == ("too_many_rows", "#/rows")
    assert house.ask(few["id"], rows=2).json()["code"] == "dataset_failed"


def test_a_class_with_one_item_is_not_drawn_away(house: House) -> None:
    rare = np.arange(40) % 4
    rare[rare == 3] = 0
    rare[0] = 3  # a single training item
    origin = house.upload(animals(y_train=rare))["id"]
    assert house.derive(origin, rows=10)["schema"]["class_counts"]["train"][3] == 1


def test_its_preview_shows_what_is_left(house: House, origin: str) -> None:
    part = house.derive(origin, classes=["bee", "cat"])
    shown = house.client.get(f"/v1/datasets/{part['id']}/preview?split=test&limit=50").json()
    assert [item["label"] for item in shown["data"]] == ["cat", "bee"] * 3
    assert row_of(house.database, part["id"]).project == DEFAULT_PROJECT


def test_the_command_line_derives(
    house: House, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KTL_URL", str(house.client.base_url))
    run = partial(CliRunner().invoke, cli)
    choice = ["--class", "dog", "--class", "cat", "--rows", "5", "--seed", "3", "--no-wait"]
    made = json.loads(run(["derive", origin, *choice, "--json"]).output)
    assert (made["name"], made["origin"]) == ("dog, cat, 5 rows", origin)
    shown = run(["show", house.taken_in(made["id"])["id"]]).output
    assert "the classes `dog`, `cat`; 5 rows drawn with the seed 3" in " ".join(shown.split())
    assert run(["derive", origin]).exit_code == 2
    assert run(["derive", origin, "--where", "hospital"]).exit_code == 2


def test_items_without_a_label_are_never_split_off_for_testing(house: House) -> None:
    """Of one such item too, of which no two can be parted."""
    for missing in (1, 15):
        y = np.arange(40) % 4
        y[:missing] = 9
        origin = house.upload(animals(y_train=y, class_names=None), missing_label=9)
        assert origin["profile"]["labelled"] == {"train": 40 - missing, "test": 12}
        part = house.derive(origin["id"], split={"test_fraction": 0.25})
        assert part["status"] == "ready", part["error"]
        tested = round(0.25 * (52 - missing))
        assert part["schema"]["splits"] == {"train": 52 - tested, "test": tested}
        assert part["profile"]["labelled"] == {"train": 52 - missing - tested, "test": tested}


def test_quantities_that_some_items_lack_are_split_by_their_range(house: House) -> None:
    y = np.arange(40, dtype=float)
    y[::2] = np.nan
    held = animals(y_train=y, y_test=np.arange(12.0), class_names=None)
    origin = house.upload(held, task="regression", missing_label="nan")
    assert origin["status"] == "ready", origin["error"]
    part = house.derive(origin["id"], split={"test_fraction": 0.25})
    assert part["status"] == "ready", part["error"]
    assert part["schema"]["splits"] == {"train": 44, "test": 8}
    tested = np.sort(house.array(part["id"], "y_test"))
    assert not np.isnan(tested).any()
    assert tested[0] < 10
    assert tested[-1] > 30


@pytest.mark.parametrize("several", [False, True])
def test_fewer_rows_than_parts_of_a_range_can_be_drawn(house: House, several: bool) -> None:
    """A quantity has no classes, of which each would need one; nor have several labels."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, (40, 3)) if several else np.arange(40.0)
    held = animals(y_train=y, y_test=y[:12], class_names=None)
    origin = house.upload(held, task="multi_label" if several else "regression")
    for rows in (2, 3, 8):
        part = house.derive(origin["id"], rows=rows)
        assert part["status"] == "ready", part["error"]
        assert part["schema"]["splits"] == {"train": rows, "test": 12}
    if not several:
        low, *_, high = np.sort(house.array(part["id"], "y_train"))
        assert low < 5 < 35 <= high
