"""POST /v1/datasets with `from` and a choice: rows and columns of tables."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc

from tests.datasets.derived import House
from tests.datasets.hospitals import HOSPITALS, heart_csv
from tests.intake.tables import csv_text
from tests.intake.test_intake import row_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SPEC: dict[str, Any] = {"target": {"column": "num"}, "columns": {"hospital": {"role": "domain"}}}


@pytest.fixture
def heart(house: House) -> dict[str, Any]:
    found = house.upload({"heart.csv": heart_csv()}, **SPEC)
    assert found["status"] == "ready", found["error"]
    return found


def rows(house: House, dataset: dict[str, Any]) -> pa.Table:
    path = house.storage.local(row_of(house.database, dataset["id"]).arrays["rows"])
    with pa.OSFile(str(path)) as file:
        return ipc.open_file(file).read_all()


def columns(dataset: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {c["name"]: (c["kind"], c["role"]) for c in dataset["schema"]["columns"]}


def test_one_file_serves_as_four_hospitals(house: House, heart: dict[str, Any]) -> None:
    parts = {name: house.derive(heart["id"], where={"hospital": [name]}) for name in HOSPITALS}
    for name, patients in HOSPITALS.items():
        part = parts[name]
        assert part["status"] == "ready", part["error"]
        assert sum(part["schema"]["splits"].values()) == patients
        held = rows(house, part)
        assert set(held["hospital"].to_pylist()) == {name}
        # The rows are the origin's, each in the split where it was.
        whole, first = rows(house, heart), heart["schema"]["splits"]["train"]
        of_origin = [row for row in whole.slice(0, first).to_pylist() if row["hospital"] == name]
        assert held.slice(0, part["schema"]["splits"]["train"]).to_pylist() == of_origin
        assert part["profile"]["derived"]["where"] == {"hospital": [name]}
    # What is learnt is learnt of a hospital's own training rows.
    edges = {
        name: next(c for c in part["schema"]["inputs"]["columns"] if c["name"] == "age")["edges"]
        for name, part in parts.items()
    }
    train = rows(house, parts["va"]).slice(0, parts["va"]["schema"]["splits"]["train"])
    assert edges["va"][0] == min(train["age"].to_pylist())
    assert edges["va"] != edges["cleveland"]


def test_kinds_and_roles_stay_but_of_what_has_one_value_left(
    house: House, heart: dict[str, Any]
) -> None:
    whole = columns(heart)
    assert whole["hospital"] == ("category", "domain")
    assert whole["visited"] == ("date", "feature")
    part = house.derive(heart["id"], where={"hospital": ["cleveland"]})
    assert columns(part) == whole
    assert {c["name"]: c["reason"] for c in part["schema"]["columns"]} == {
        c["name"]: c["reason"] for c in heart["schema"]["columns"]
    }
    seen = {c["name"]: c for c in part["schema"]["inputs"]["columns"]}
    assert seen["visited"]["format"] == "%d.%m.%Y"
    men = columns(house.derive(heart["id"], where={"hospital": ["va"]}))
    assert men["sex"] == ("constant", "ignored")  # va has men alone
    assert {**men, "sex": whole["sex"]} == whole
    unmeasured = columns(house.derive(heart["id"], where={"hospital": ["switzerland"]}))
    assert unmeasured["pressure"] == ("constant", "ignored")


def test_stored_numbers_are_those_of_the_rows(house: House, heart: dict[str, Any]) -> None:
    part = house.derive(heart["id"], where={"hospital": ["hungarian"]})
    held, x = rows(house, part), house.array(part["id"], "x_train")
    names = [c["name"] for c in part["schema"]["inputs"]["columns"]]
    first = part["schema"]["splits"]["train"]
    assert x.shape == (first, len(names))
    assert x[:, names.index("age")].tolist() == held["age"].to_pylist()[:first]
    smokes = [value == "yes" for value in held["smokes"].to_pylist()[:first]]
    assert x[:, names.index("smokes")].tolist() == smokes
    pains = next(c for c in part["schema"]["inputs"]["columns"] if c["name"] == "pain")["values"]
    counts = Counter(held["pain"].to_pylist()[:first])
    assert [counts[pain] for pain in pains] == sorted(counts.values(), reverse=True)
    shown = house.client.get(f"/v1/datasets/{part['id']}/preview?split=train&limit=1").json()
    assert shown["data"][0]["row"]["age"] == held["age"][0].as_py()


def test_conditions_of_several_columns_hold_together(house: House, heart: dict[str, Any]) -> None:
    where = {"hospital": ["va", "cleveland"], "smokes": ["yes"], "pain": ["typical", "none"]}
    part = house.derive(heart["id"], where=where)
    whole = rows(house, heart).to_pylist()
    wanted = [r for r in whole if all(r[name] in values for name, values in where.items())]
    assert rows(house, part).to_pylist() == wanted
    young = house.derive(heart["id"], where={"age": [*range(30, 60)]})
    assert max(rows(house, young)["age"].to_pylist()) < 60
    holes = house.derive(heart["id"], where={"pressure": [None]})
    assert set(rows(house, holes)["hospital"].to_pylist()) == {"switzerland"}
    flagged = house.derive(heart["id"], where={"smokes": [True], "hospital": ["va"]})
    assert set(rows(house, flagged)["smokes"].to_pylist()) == {"yes"}
    day = rows(house, heart)["visited"][0].as_py()
    dated = house.ask(heart["id"], where={"visited": [str(day.date())]})
    assert dated.status_code == 202


def test_columns_that_stay(house: House, heart: dict[str, Any]) -> None:
    part = house.derive(heart["id"], columns=["age", "sex"], where={"hospital": ["cleveland"]})
    assert list(columns(part)) == ["age", "sex", "num"]
    assert rows(house, part).column_names == ["age", "sex", "num"]
    assert house.array(part["id"], "x_test").shape[1] == 2


def test_rows_and_splits_anew(house: House, heart: dict[str, Any]) -> None:
    part = house.derive(heart["id"], rows=50, seed=1)
    assert part["schema"]["splits"] == {"train": 50, "test": heart["schema"]["splits"]["test"]}
    shares = np.array(part["schema"]["class_counts"]["train"]) / 50
    whole = np.array(heart["schema"]["class_counts"]["train"]) / heart["schema"]["splits"]["train"]
    assert np.abs(shares - whole).max() <= 1 / 50
    tested = house.derive(heart["id"], split={"where": {"hospital": ["va"]}})
    assert tested["status"] == "ready", tested["error"]
    assert tested["schema"]["splits"] == {"train": 210, "test": 60}
    halves = house.derive(heart["id"], split={"test_fraction": 0.5, "seed": 4})
    assert halves["schema"]["splits"]["test"] == 135
    grouped = house.derive(heart["id"], split={"group": "visited"})
    held, first = rows(house, grouped), grouped["schema"]["splits"]["train"]
    days = held["visited"].to_pylist()
    assert not set(days[:first]) & set(days[first:])
    later = house.derive(heart["id"], split={"time": "visited", "test_fraction": 0.3})
    held, first = rows(house, later), later["schema"]["splits"]["train"]
    days = held["visited"].to_pylist()
    assert max(days[:first]) < min(days[first:])
    assert house.ask(heart["id"], split={"time": "when"}).status_code == 422


def test_a_derived_one_can_be_derived_from(house: House, heart: dict[str, Any]) -> None:
    two = house.derive(
        heart["id"], where={"hospital": ["va", "cleveland"]}, columns=["age", "sex", "hospital"]
    )
    one = house.derive(two["id"], where={"hospital": ["cleveland"]})
    at_once = house.derive(
        heart["id"], where={"hospital": ["cleveland"]}, columns=["age", "sex", "hospital"]
    )
    assert one["content_hash"] == at_once["content_hash"]
    assert one["origin"] == two["id"]
    assert "hospital" in two["profile"]["derived"]["sentence"]


@pytest.mark.parametrize(
    ("choice", "code", "pointer", "told"),
    [
        ({"where": {"hopital": ["va"]}}, "unknown_column", "#/where/hopital", "`hospital`"),
        ({"columns": ["age", "sexe"]}, "unknown_column", "#/columns/1", "`sex`"),
        ({"columns": ["hospital"]}, "no_features", "#/columns", "`age`"),
        ({"split": {"group": "x"}}, "unknown_column", "#/split/group", "there are"),
        ({"split": {"where": {"x": ["a"]}}}, "unknown_column", "#/split/where/x", "there are"),
        ({"classes": ["0", "2"]}, "unknown_class", "#/classes/1", "there are `0`, `1`"),
        ({"where": {}}, "invalid_value", "#/where", "1"),
        ({"where": {"age": []}}, "invalid_value", "#/where/age", "1"),
        ({"where": {"age": [[1]]}}, "invalid_value", "#/where/age/0", "expected"),
    ],
)
def test_a_choice_that_the_table_does_not_have(
    house: House, heart: dict[str, Any], choice: dict[str, Any], code: str, pointer: str, told: str
) -> None:
    answer = house.ask(heart["id"], **choice)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert told in answer.json()["detail"]


@pytest.mark.parametrize(
    ("choice", "code", "pointer", "told"),
    [
        (
            {"where": {"hospital": ["va", "Hungary"]}},
            "unknown_value",
            "#/where/hospital/1",
            "`hungarian`",
        ),
        ({"where": {"age": ["old"]}}, "wrong_type", "#/where/age/0", "a number"),
        ({"where": {"age": [200]}}, "unknown_value", "#/where/age/0", "none has"),
        ({"where": {"age": [10**18]}}, "unknown_value", "#/where/age/0", "none has"),
        ({"where": {"age": [True]}}, "wrong_type", "#/where/age/0", "a number"),
        ({"where": {"visited": ["soon"]}}, "wrong_type", "#/where/visited/0", "a date"),
        ({"where": {"sex": [None]}}, "unknown_value", "#/where/sex/0", "missing"),
        ({"where": {"hospital": ["va"], "sex": ["f"]}}, "empty_split", "#/where", "got none"),
        ({"where": {"num": [1]}}, "one_class", "#/where", "`1` alone"),
        ({"split": {"time": "hospital"}}, "no_times", "#/split/time", "dates or numbers"),
        ({"split": {"where": {"age": [200]}}}, "empty_split", "#/split/where/age", "have"),
        ({"rows": 200, "where": {"hospital": ["va"]}}, "too_many_rows", "#/rows", "got 200"),
    ],
)
def test_what_only_the_rows_tell_is_told_by_the_intake(
    house: House, heart: dict[str, Any], choice: dict[str, Any], code: str, pointer: str, told: str
) -> None:
    part = house.derive(heart["id"], **choice)
    assert (part["status"], part["error"]["code"]) == ("failed", code), part["error"]
    assert part["error"]["param"] == pointer
    assert told in part["error"]["message"]


def test_classes_that_only_test_rows_have_left_are_named(house: House) -> None:
    lines = ["city,height,label,split"]
    lines += [
        f"{city},{number},{label},train"
        for number, (city, label) in enumerate(
            [("Oslo", "a"), ("Oslo", "b"), ("Rome", "a"), ("Rome", "b"), ("Rome", "c")] * 4
        )
    ]
    lines += [f"Oslo,{number},{label},test" for number, label in enumerate("abc" * 4)]
    csv = "\n".join([*lines, ""]).encode()
    origin = house.upload({"t.csv": csv}, split={"column": "split"})["id"]
    where = {"city": ["Oslo"]}
    part = house.derive(origin, where=where)
    assert (part["error"]["code"], part["error"]["param"]) == ("unknown_class", "#/where")
    assert "got none of `c`" in part["error"]["message"]
    assert house.derive(origin, where=where, classes=["a", "b"])["status"] == "ready"
    assert house.derive(origin, where=where, split={"test_fraction": 0.25})["status"] == "ready"


def test_some_of_several_labels_of_a_table(house: House) -> None:
    bits = np.random.default_rng(0).integers(0, 2, (40, 3))
    lines = ["height,red,big,new"] + [f"{n},{','.join(map(str, b))}" for n, b in enumerate(bits)]
    csv = "\n".join([*lines, ""]).encode()
    target = {"columns": ["red", "big", "new"]}
    origin = house.upload({"t.csv": csv}, target=target, columns={"height": "number"})
    assert origin["status"] == "ready", origin["error"]
    part = house.derive(origin["id"], classes=["new", "red"])
    assert part["status"] == "ready", part["error"]
    assert part["schema"]["task"]["labels"] == ["red", "new"]
    assert list(columns(part)) == ["height", "red", "new"]
    assert columns(part)["height"] == ("number", "feature")


def test_quantities_and_tables_without_labels(house: House) -> None:
    lines = ["size,city,price"] + [f"{n * 7 % 40},{'ab'[n % 2]},{n / 3:.3f}" for n in range(40)]
    csv = "\n".join([*lines, ""]).encode()
    said = {"target": {"column": "price", "task": "regression"}, "unit": "USD"}
    priced = house.upload({"t.csv": csv}, **said)["id"]
    part = house.derive(priced, where={"city": ["a"]}, rows=10)
    assert part["status"] == "ready", part["error"]
    assert (part["schema"]["task"]["kind"], part["schema"]["task"]["unit"]) == ("regression", "USD")
    assert part["schema"]["splits"]["train"] == 10
    bare = house.upload({"t.csv": csv}, target={"columns": []})["id"]
    part = house.derive(bare, where={"city": ["a"]})
    assert part["status"] == "ready", part["error"]
    assert part["schema"]["class_counts"] == {"train": [], "test": []}


@pytest.mark.parametrize("word", ["", "unknown"])
def test_rows_without_a_label_stay(house: House, word: str) -> None:
    """Also where a word meant that there is none: the part is told of no such word."""
    labels = ["a", "b", word, "a"] * 10
    spec = {"missing_label": word} if word else {}
    whole = house.upload({"heights.csv": csv_text(40, label=labels).encode()}, **spec)
    assert whole["profile"]["labelled"] == {"train": 24, "test": 6}
    assert whole["schema"]["splits"] == {"train": 34, "test": 6}
    part = house.derive(whole["id"], where={"city": ["Lima", "Oslo"]})
    assert part["status"] == "ready", part["error"]
    assert part["schema"]["task"]["classes"] == ["a", "b"]
    held = rows(house, part)
    first = part["schema"]["splits"]["train"]
    origin = rows(house, whole).slice(0, 34).to_pylist()
    assert held.slice(0, first).to_pylist() == [row for row in origin if row["city"] != "Rome"]
    y = house.array(part["id"], "y_train")
    assert (y == -1).tolist() == [row["label"] is None for row in held.slice(0, first).to_pylist()]
    assert (y == -1).any()
    anew = house.derive(whole["id"], columns=["height"], split={"test_fraction": 0.4})
    assert anew["status"] == "ready", anew["error"]
    assert anew["schema"]["splits"] == {"train": 28, "test": 12}
    assert anew["profile"]["labelled"] == {"train": 18, "test": 12}
