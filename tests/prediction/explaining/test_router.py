"""Explanations over HTTP, of models whose answers are known by hand."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.gate import LIMIT_BYTES
from tests.picture_files import png
from tests.prediction import tables, test_label_sets, test_quantities, test_texts
from tests.prediction.explaining.models import (
    DEPLOYED,
    EYE,
    MATRIX,
    OF_A_LETTER,
    OF_A_LEVEL,
    as_file,
    site_of_all,
    whole_item,
)
from tests.prediction.site import SHAPE, Site, problem, softmax


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_of_all(tmp_path_factory.mktemp("explaining")) as site:
        yield site


def ask(site: Site, name: str, item: Any, **more: Any) -> httpx.Response:
    return site.client.post(DEPLOYED.format(name), json={"inputs": [item], **more})


def explained(site: Site, name: str, item: Any, **more: Any) -> dict[str, Any]:
    answer = ask(site, name, item, **more)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def picture(level: int) -> np.ndarray:
    """Black but for one pixel."""
    pixels = np.zeros(SHAPE, np.uint8)
    pixels[EYE] = level
    return pixels


def score_of(pixels: np.ndarray) -> float:
    return float(softmax(pixels.reshape(1, -1).astype(np.float32) @ MATRIX)[0, 0])


def test_only_the_patch_that_matters_contributes(site: Site) -> None:
    pixels = picture(255)
    found = explained(site, "eye", pixels.tolist())
    predicted = site.client.post("/v1/deployments/eye/predict", json={"inputs": [pixels.tolist()]})
    assert found["prediction"] == predicted.json()["outputs"][0]
    assert (found["output"], found["rows"]) == ("cat", 17)
    assert found["answer"] == pytest.approx(score_of(pixels), abs=1e-6)
    told = found["contributions"]
    assert (told["kind"], told["cell"], told["patch"]) == ("image", [1, 1], [1, 1])
    assert (told["filling"], told["colour"]) == ("border", [0])
    wanted = np.zeros(SHAPE[:2])
    wanted[EYE] = score_of(pixels) - score_of(picture(0))
    np.testing.assert_allclose(told["contributions"], wanted, atol=1e-6)


def test_another_class_is_explained_where_it_is_named(site: Site) -> None:
    found = explained(site, "eye", picture(255).tolist(), output="dog")
    assert found["prediction"]["label"] == "cat"
    lost = float(softmax(np.array([[2.0, 0, 0]]))[0, 1]) - 1 / 3
    assert found["contributions"]["contributions"][EYE[0]][EYE[1]] == pytest.approx(lost, abs=1e-6)


def test_a_file_of_a_picture_is_explained_as_its_pixels(site: Site) -> None:
    item = as_file({"photo": picture(200).tolist()})["photo"]
    of_file, of_pixels = (explained(site, "eye", x) for x in (item, picture(200).tolist()))
    assert of_file["contributions"] == of_pixels["contributions"]


QUANTILES = np.linspace(0, 1, 17)[1::2]  # eight that cut training rows into equal shares
INSTEAD = {  # what stands in place of a value: of columns that training rows all know, theirs
    "income": 10_000 + 50_000 * QUANTILES,
    "city": [np.nan],
    "age": 18 + 60 * QUANTILES,
    "owns": [np.nan],
    "since": 20_000 + 99 * QUANTILES,
}


def test_a_column_contributes_what_its_value_adds(site: Site) -> None:
    """The score of `rich` is softmax(value x weight ...), where a missing value counts 0."""
    row = tables.ROWS[0]
    found = explained(site, "people", row, output="rich")
    whole = tables.expected(tables.NUMBERS[:1])[0, 1]
    assert found["answer"] == pytest.approx(whole, abs=1e-6)
    for place, told in enumerate(found["contributions"]["columns"]):
        instead = INSTEAD[tables.NAMES[place]]
        without = np.repeat(tables.NUMBERS[:1], len(instead), 0)
        without[:, place] = instead
        wanted = whole - tables.expected(without)[:, 1].mean()
        assert told["columns"] == [tables.NAMES[place]]
        assert told["contribution"] == pytest.approx(wanted, abs=1e-6)
    assert [told["values"] for told in found["contributions"]["columns"]] == [
        [52_000],
        ["Oslo"],
        [40],
        [True],
        ["2024-10-09"],
    ]
    instead = [told["instead"] for told in found["contributions"]["columns"]]
    assert instead[1] == instead[3] == [[None]]
    assert instead[2] == [[age] for age in INSTEAD["age"]]
    assert found["rows"] == 1 + 3 * 8 + 2
    assert found["contributions"]["missing"] == []


def test_what_is_missing_cannot_be_taken_away(site: Site) -> None:
    found = explained(site, "people", tables.ROWS[1])["contributions"]
    assert [told["columns"] for told in found["columns"]] == [["city"], ["age"]]
    assert found["missing"] == ["income", "owns", "since"]
    nothing = explained(site, "people", dict.fromkeys(tables.NAMES))
    assert (nothing["contributions"]["columns"], nothing["rows"]) == ([], 1)


def test_doubts_about_the_item_are_told_as_predict_tells_them(site: Site) -> None:
    found = explained(site, "people", tables.ROWS[0] | {"city": "Paris"})
    assert [(w["code"], w["pointer"]) for w in found["warnings"]] == [
        ("unknown_category", "#/inputs/0/city")
    ]
    assert found["contributions"]["columns"][1]["values"] == ["(other)"]


def test_the_word_that_decides_is_the_one_with_a_contribution(site: Site) -> None:
    text = "  its  aa\tnot 好吃"
    found = explained(site, "letters", text, output="a")
    pieces = found["contributions"]["pieces"]
    assert [piece["text"] for piece in pieces] == ["its", "aa", "not", "好", "吃"]
    for piece in pieces:
        assert text[piece["start"] : piece["end"]] == piece["text"]
    lost = test_texts.expected(["aa"])[0, 0] - 0.5
    wanted = [0, lost, 0, 0, 0]
    assert [piece["contribution"] for piece in pieces] == pytest.approx(wanted, abs=1e-6)


def test_a_text_of_one_word_is_compared_with_none(site: Site) -> None:
    (piece,) = explained(site, "letters", {"text": "bb"})["contributions"]["pieces"]
    lost = test_texts.expected(["bb"])[0, 1] - 0.5
    assert piece["contribution"] == pytest.approx(lost, abs=1e-6)


def test_parts_of_an_item_and_their_own_parts(site: Site) -> None:
    item = whole_item()
    found = explained(site, "houses", item)
    assert (found["output"], found["unit"]) == ("price", "EUR")
    parts = {each["part"]: each for each in found["contributions"]["parts"]}
    assert parts["photo"]["contribution"] == pytest.approx(200 * OF_A_LEVEL)
    assert parts["house"]["contribution"] == pytest.approx(3 * 50 - 2 * 10)
    # Both columns are known in all training rows: areas from 20 to 59, ages from 0 to 98
    assert parts["note"]["contribution"] == pytest.approx(len(item["note"]) * OF_A_LETTER)
    columns = parts["house"]["within"]["columns"]
    assert [each["contribution"] for each in columns] == pytest.approx(
        [3 * (50 - 39.5), -2 * (10 - 49)]
    )
    words = parts["note"]["within"]["pieces"]  # a word goes with one of its spaces
    wanted = [letters * OF_A_LETTER for letters in (2, 6, 6)]
    assert [each["contribution"] for each in words] == pytest.approx(wanted)
    cells = np.array(parts["photo"]["within"]["contributions"])
    assert cells.shape == (4, 4)
    assert cells[2, 1] == pytest.approx(200 * OF_A_LEVEL)
    assert np.count_nonzero(cells) == 1
    assert explained(site, "houses", as_file(item))["contributions"] == found["contributions"]


def test_the_only_part_of_an_item_cannot_be_taken_away(site: Site) -> None:
    found = explained(site, "houses", {"house": {"area": 50, "age": None}})
    (told,) = found["contributions"]["parts"]
    assert "contribution" not in told
    (area,) = told["within"]["columns"]
    assert (area["values"], area["contribution"]) == ([50], pytest.approx(3 * (50 - 39.5)))
    assert [warning["code"] for warning in found["warnings"]] == ["missing_part"] * 2
    (told,) = explained(site, "houses", {"note": "alone"})["contributions"]["parts"]
    assert told["within"]["pieces"] == [{"start": 0, "end": 5, "text": "alone"}]
    (told,) = explained(site, "houses", {"photo": whole_item()["photo"]})["contributions"]["parts"]
    assert told["within"]["contributions"][2][1] == pytest.approx(200 * OF_A_LEVEL)


def test_a_quantity_changes_in_its_unit(site: Site, tmp_path: Path) -> None:
    test_quantities.deploy(site, tmp_path)
    pixels = picture(90)
    found = explained(site, "pets", pixels.tolist())
    assert (found["prediction"], found["unit"]) == ({"value": 4500.0}, "USD")
    assert found["contributions"]["contributions"][EYE[0]][EYE[1]] == pytest.approx(4500)


def test_a_label_of_several_is_explained(site: Site, tmp_path: Path) -> None:
    test_label_sets.deploy(site, tmp_path)
    white = np.full(SHAPE, 255)
    white[EYE] = 0
    found = explained(site, "pets", white.tolist())
    assert found["output"] == "sun"  # the best score
    sea = explained(site, "pets", white.tolist(), output="sea")
    share = 15 / 16
    lost = 1 / (1 + np.exp(share)) - 1 / (1 + np.exp(1))
    at_eye = sea["contributions"]["contributions"][EYE[0]][EYE[1]]
    assert at_eye == pytest.approx(lost, abs=1e-6)


def test_both_forms_of_the_action_answer(site: Site) -> None:
    body = {"inputs": ["aab"]}
    one, other = (
        site.client.post(f"/v1/deployments/letters{x}", json=body) for x in ("/explain", ":explain")
    )
    assert one.json() == other.json()


@pytest.mark.parametrize(
    ("name", "item", "code", "pointer"),
    [
        ("people", {"income": 1}, "missing_column", "#/inputs/0/city"),
        ("people", tables.ROWS[0] | {"age": "old"}, "invalid_value", "#/inputs/0/age"),
        ("people", 5, "not_a_row", "#/inputs/0"),
        ("letters", " \x00", "no_text", "#/inputs/0"),
        ("letters", None, "not_text", "#/inputs/0"),
        ("eye", [[1]], "wrong_shape", "#/inputs/0"),
        ("eye", (picture(255) / 255).tolist(), None, None),
        ("eye", np.full(SHAPE, 0.5).tolist(), "wrong_scale", "#/inputs"),
        ("eye", {"b64": "!"}, "not_base64", "#/inputs/0/b64"),
        ("eye", {"b64": "aGVsbG8="}, "unreadable_picture", "#/inputs/0"),
        ("eye", {"file": ""}, "not_a_picture", "#/inputs/0"),
        ("houses", {}, "no_part", "#/inputs/0"),
        ("houses", {"garden": 1}, "unknown_part", "#/inputs/0/garden"),
    ],
)
def test_items_that_predict_refuses_are_refused(
    site: Site, name: str, item: Any, code: str | None, pointer: str | None
) -> None:
    answer = ask(site, name, item)
    if code is None:
        assert answer.status_code == 200, answer.text
        return
    found = problem(answer, 422, code)
    assert found["errors"][0]["pointer"] == pointer


def test_a_class_that_is_none_is_named_with_the_near_one(site: Site) -> None:
    found = problem(ask(site, "people", tables.ROWS[0], output="ritch"), 422, "unknown_choice")
    assert found["errors"][0]["pointer"] == "#/output"
    assert "`poor`, `rich`" in found["detail"]
    assert found["detail"].endswith("did you mean `rich`?")


def test_several_items_are_refused(site: Site) -> None:
    body = {"inputs": ["a", "b"]}
    found = problem(site.client.post(DEPLOYED.format("letters"), json=body), 422, "invalid_value")
    assert found["errors"][0]["pointer"] == "#/inputs"
    assert "1" in found["detail"]
    body = {"inputs": ["a"], "top_k": 2}
    problem(site.client.post(DEPLOYED.format("letters"), json=body), 422, "unknown_field")


def test_a_body_that_is_a_file_is_refused(site: Site) -> None:
    for kind, content in (
        ("image/png", png(seed=1)),
        ("application/x-npy", b"\x93NUMPY"),
    ):
        headers = {"Content-Type": kind}
        answer = site.client.post(DEPLOYED.format("eye"), content=content, headers=headers)
        assert "application/json" in problem(answer, 415, "unsupported_media_type")["detail"]
    headers = {"Content-Type": "application/json"}
    answer = site.client.post(DEPLOYED.format("eye"), content=b'{"inputs": [', headers=headers)
    problem(answer, 400, "invalid_json")


def test_large_bodies_are_files_of_pictures_alone(site: Site) -> None:
    numbers = [[[0]] * 2**18] * 2
    found = problem(ask(site, "eye", numbers), 413, "body_too_large")
    assert "b64" in found["detail"]
    text = "A" * (LIMIT_BYTES + 4)
    problem(ask(site, "eye", {"b64": text}), 422, "unreadable_picture")


def test_a_name_that_serves_nothing(site: Site) -> None:
    problem(ask(site, "nobody", "a"), 404, "deployment_not_found")


def test_explanations_at_once_are_all_answered(site: Site) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(lambda _: explained(site, "letters", "ab b"), range(24))]
    assert all(each == found[0] for each in found)
