"""Explanations in a browser, of models whose answers are known by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.prediction.explaining.models import (
    EYE,
    site_of_all,
    whole_item,
)
from tests.prediction.site import SHAPE, Site
from tests.web.browser import Seen, keep_screenshot

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PATIENCE_MS = 60_000
PIXEL = """([x, y]) => [...document.querySelector("canvas.heat").getContext("2d")
    .getImageData(x, y, 1, 1).data]"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_of_all(tmp_path_factory.mktemp("why")) as site:
        yield site


@pytest.fixture(params=["light", "dark"])
def seen(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Seen]:
    page = chromium.new_page(viewport={"width": 1200, "height": 1000})
    page.emulate_media(color_scheme=request.param)
    page.set_default_timeout(PATIENCE_MS)
    seen = Seen(page)
    yield seen
    page.close()
    assert seen.complaints == []


def open_page(site: Site, seen: Seen, name: str) -> Any:
    seen.page.goto(f"{str(site.client.base_url).rstrip('/')}/#/deployments/{name}")
    return seen.page


def ask_why(seen: Seen, name: str) -> Any:
    """By the keyboard alone."""
    page = seen.page
    page.get_by_role("button", name="Why?").focus()
    page.keyboard.press("Enter")
    page.get_by_text("How this model's answer changes, not why").wait_for()
    assert seen.violations() == []
    keep_screenshot(page, f"why_{name}")
    return page.locator(".why")


@pytest.fixture
def eye(tmp_path: Path) -> Path:
    pixels = np.zeros(SHAPE[:2], np.uint8)
    pixels[EYE] = 255
    Image.fromarray(pixels).save(tmp_path / "eye.png")
    return tmp_path / "eye.png"


def test_the_cell_that_matters_is_marked_on_the_picture(site: Site, seen: Seen, eye: Path) -> None:
    page = open_page(site, seen, "eye")
    page.locator("input[type=file]").set_input_files(str(eye))
    told = ask_why(seen, "eye")
    assert "row 2, column 3: +0.454" in told.text_content()
    red, _, blue, _ = page.evaluate(PIXEL, [140, 84])  # white, and marked
    assert blue - red > 50
    red, _, blue, _ = page.evaluate(PIXEL, [28, 28])
    assert abs(blue - red) <= 2


def test_columns_are_bars(site: Site, seen: Seen) -> None:
    page = open_page(site, seen, "people")
    page.get_by_label("income [EUR]").fill("52000")
    page.get_by_label("city").select_option("Oslo")
    told = ask_why(seen, "people").locator(".bars li")
    assert told.count() == 2
    assert told.nth(0).text_content().startswith("income: 52000")
    assert "+0." in told.nth(0).text_content()


def test_words_are_marked_where_they_stand(site: Site, seen: Seen) -> None:
    page = open_page(site, seen, "letters")
    text = "\U0001f600 aaa <b>b</b> 好"
    page.get_by_label("Text").fill(text)
    told = ask_why(seen, "letters")
    assert told.locator("blockquote").text_content() == text
    assert told.locator("mark:not(.against)").all_text_contents() == ["aaa"]
    assert told.locator("mark.against").all_text_contents() == ["<b>b</b>"]


def test_parts_and_what_is_in_them(site: Site, seen: Seen, tmp_path: Path) -> None:
    page = open_page(site, seen, "houses")
    pixels = np.array(whole_item()["photo"], np.uint8)[..., 0]
    Image.fromarray(pixels).save(tmp_path / "house.png")
    page.locator("input[type=file]").set_input_files(str(tmp_path / "house.png"))
    page.get_by_label("area").fill("50")
    with page.expect_response(lambda found: "quiet" in (found.request.post_data or "")):
        page.get_by_label("Text").fill("a quiet house")
    told = ask_why(seen, "houses")
    assert told.locator(".bars").first.locator("li").count() == 3
    assert told.locator("canvas.heat").count() == 1
    assert told.locator("mark").count() == 3


def test_what_goes_wrong_is_said_beside_the_button(site: Site, seen: Seen) -> None:
    page = open_page(site, seen, "letters")
    page.get_by_label("Text").fill("aaa")
    page.get_by_role("button", name="Why?").wait_for()
    page.route("**/explain", lambda route: route.abort())
    page.get_by_role("button", name="Why?").click()
    page.locator(".why .problem").wait_for()
    page.unroute("**/explain")
    ask_why(seen, "letters")
    assert page.locator(".why .problem").count() == 0
