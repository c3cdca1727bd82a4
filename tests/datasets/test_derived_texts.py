"""Datasets made of a dataset of texts: by language, by class, anew split."""

from typing import Any

import numpy as np
import pytest

from app.inputs.text import texts_of
from tests.datasets.derived import House

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TEXTS = {"en": "the {} dish was served again", "zh": "今天的菜{}又来了一次"}


def upload() -> bytes:
    lines = ["text,language,stars,label"]
    for place in range(40):
        language = ("en", "zh")[place % 2]
        text = TEXTS[language].format(place) + " and on" * (30 if language == "en" else 0)
        lines.append(f"{text},{language},{place % 5},{('bad', 'good')[place // 2 % 2]}")
    return "".join(f"{line}\n" for line in lines).encode()


SPEC: dict[str, Any] = {
    "columns": {
        "text": {"kind": "text", "role": "feature"},
        "language": {"role": "domain"},
    },
    "max_characters": 64,
}


@pytest.fixture
def reviews(house: House) -> dict[str, Any]:
    found = house.upload({"reviews.csv": upload()}, **SPEC)
    assert found["status"] == "ready", found["error"]
    return found


def texts(house: House, dataset: dict[str, Any], split: str = "train") -> list[str]:
    return texts_of(house.array(dataset["id"], f"x_{split}"))


def test_one_file_serves_as_two_languages(house: House, reviews: dict[str, Any]) -> None:
    whole = reviews["schema"]["inputs"]
    assert whole == {"modality": "text", "length": 64}
    for language, length in (("en", 64), ("zh", 32)):
        part = house.derive(reviews["id"], where={"language": [language]})
        assert part["status"] == "ready", part["error"]
        assert part["schema"]["inputs"] == {"modality": "text", "length": length}
        english = [text for text in texts(house, reviews) if "dish" in text]
        others = [text for text in texts(house, reviews) if "dish" not in text]
        assert texts(house, part) == (english if language == "en" else others)
        roles = {c["name"]: c["role"] for c in part["schema"]["columns"]}
        assert roles["text"] == "feature"
        assert part["profile"]["derived"]["where"] == {"language": [language]}


def test_rows_classes_and_columns(house: House, reviews: dict[str, Any]) -> None:
    fewer = house.derive(reviews["id"], rows=10)
    assert fewer["schema"]["splits"]["train"] == 10
    anew = house.derive(reviews["id"], columns=["text"], split={"test_fraction": 0.5})
    assert anew["status"] == "ready", anew["error"]
    assert anew["schema"]["splits"] == {"train": 20, "test": 20}
    assert [c["name"] for c in anew["schema"]["columns"]] == ["text", "label"]
    again = house.derive(anew["id"], classes=["bad", "good"])
    assert np.array_equal(house.array(again["id"], "x_test"), house.array(anew["id"], "x_test"))


def test_the_text_itself_stays(house: House, reviews: dict[str, Any]) -> None:
    answer = house.ask(reviews["id"], columns=["stars"])
    assert answer.status_code == 422
    assert answer.json()["code"] == "no_features"
