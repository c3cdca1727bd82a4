"""`ktl explain NAME …` and the client's `explain`, against models that are known by hand."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.client.ktl import Client
from tests.prediction import tables
from tests.prediction.explaining.models import (
    EYE,
    site_of_all,
    whole_item,
)
from tests.prediction.site import SHAPE, Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_of_all(tmp_path_factory.mktemp("explaining")) as site:
        yield site


@pytest.fixture(autouse=True)
def url(site: Site, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("KTL_URL", str(site.client.base_url))
    return str(site.client.base_url)


@pytest.fixture
def eye(tmp_path: Path) -> Path:
    pixels = np.zeros(SHAPE[:2], np.uint8)
    pixels[EYE] = 255
    Image.fromarray(pixels).save(tmp_path / "eye.png")
    return tmp_path / "eye.png"


def test_a_picture_is_shown_with_the_cell_that_matters(ktl, eye):
    status, out, err = ktl("explain", "eye", eye)
    assert status == 0, err
    lines = out.splitlines()
    assert lines[0].startswith("cat: 0.78")
    assert lines[1 + EYE[0]] == "    ██  "
    assert [line.strip() for line in lines[1:5]] == ["", "██", "", ""]
    assert "speaks for it, +0.4537 at most" in lines[5]
    assert "not why" in err


def test_what_speaks_against_is_drawn_otherwise(ktl, eye):
    out = ktl("explain", "eye", eye, "--output", "dog").out
    assert out.splitlines()[1 + EYE[0]] == "    ##  "


def test_columns_stand_in_the_order_of_what_they_change(ktl, tmp_path):
    names = ",".join(tables.NAMES)
    (tmp_path / "rows.csv").write_text(f"{names}\n52000,Oslo,40,yes,2024-10-09\n,,,,\n")
    several = ktl("explain", "people", tmp_path / "rows.csv")
    assert (several.status, several.out) == (2, "")
    assert "expected one item, got 2; --item says which, from 0" in several.err
    status, out, err = ktl("explain", "people", tmp_path / "rows.csv", "--item", 0)
    assert status == 0, err
    rows = [line.split() for line in out.splitlines()[2:]]
    assert {row[0] for row in rows} == set(tables.NAMES)
    changes = [abs(float(row[-1])) for row in rows]
    assert changes == sorted(changes, reverse=True)
    assert ktl("explain", "people", tmp_path / "rows.csv", "--item", 2).status == 2


def test_words_and_parts(ktl, tmp_path):
    out = ktl("explain", "letters", "--text", "not aa").out
    assert out.splitlines()[2].split()[:2] == ["aa", "4-6"]
    (tmp_path / "item.json").write_text(json.dumps([whole_item()]))
    out = ktl("explain", "houses", tmp_path / "item.json").out
    assert out.splitlines()[0].endswith(" EUR")
    assert [line for line in out.splitlines() if line.startswith("within")] == [
        "within photo:",
        "within house:",
        "within note:",
    ]


def test_json_is_the_whole_answer(ktl, url, eye):
    printed = json.loads(ktl("explain", "eye", eye, "--json").out)
    with Client(url) as client:
        answer = client.deployments.explain("eye", eye)
        pixels = client.deployments.explain("eye", np.asarray(Image.open(eye)))
    assert printed["contributions"] == answer.contributions == pixels.contributions
    assert answer.contributions.contributions[EYE[0]][EYE[1]] > 0.4


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("eye",), 2, "expected a file, or --text and no file"),
        (("letters", "--text", "a", "--output", "c"), 1, "expected an output of the model"),
        (("letters", "--text", " "), 1, "no_text"),
        (("nobody", "--text", "a"), 1, "deployment_not_found"),
        (("eye", "none.png"), 2, "none.png"),
        (("letters", "--text", "a", "--decimal", ";"), 2, "expected . or ,"),
    ],
)
def test_what_cannot_be_explained_is_said(ktl, arguments, status, said):
    ended = ktl("explain", *arguments)
    assert ended.status == status, ended
    assert said in ended.err
