"""The dashboard where something is in the way: odd addresses, a service that goes away, a key
that may little, plain http, long listings. Without a worker."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.client.ktl import Client
from app.database import Database
from app.settings import Settings
from tests.client.running_api import RunningApi, running_api
from tests.jobs.factories import add_dataset
from tests.jobs.requests import LOCAL
from tests.web.browser import Seen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"
Open = Callable[..., Seen]


@pytest.fixture
def api(settings: Settings) -> Iterator[RunningApi]:
    with running_api(settings) as api:
        yield api


@pytest.fixture
def opened(chromium: Any, api: RunningApi) -> Iterator[Open]:
    pages = []

    def go(path: str, script: str = "", **context: Any) -> Seen:
        page = chromium.new_page(**context)
        page.set_default_timeout(20_000)
        pages.append(Seen(page))
        if script:
            page.add_init_script(script)
        page.goto(f"{api.url}/#{path}")
        return pages[-1]

    yield go
    for seen in pages:
        seen.page.close()
    assert [each for seen in pages for each in seen.complaints] == []


@pytest.mark.parametrize(
    "path", ["/jobs/100%", "/jobs/100%25", "/datasets/%E0%A4%A", "/models/a?b"]
)
def test_an_address_of_nothing_says_so(opened: Open, path: str) -> None:
    page = opened(path).page
    page.get_by_role("heading", name="That did not work").wait_for()
    assert page.locator(".problem").text_content()
    assert page.get_by_role("link", name="Datasets").count() == 1


def test_a_name_stands_for_its_id(opened: Open, settings: Settings) -> None:
    database = Database(settings.database)
    add_dataset(database, project=LOCAL, name="100% ünï?")
    database.dispose()
    opened("/datasets/100%25 ünï%3F").page.get_by_role("heading", name="100% ünï?").wait_for()


def test_a_page_comes_by_itself_once_the_service_is_back(opened: Open, api: RunningApi) -> None:
    page = opened("/jobs").page
    page.get_by_text("No job yet.").wait_for()
    api.stop()
    page.get_by_role("link", name="Models").click()
    page.get_by_text("The service does not answer").wait_for()
    api.start()
    page.get_by_text("No model yet").wait_for()


def test_what_cannot_be_shown_is_told(opened: Open, api: RunningApi) -> None:
    """A choice that asks the service, and is no button beside which a problem could stand."""
    page = opened("/jobs").page
    page.get_by_text("No job yet.").wait_for()
    api.stop()
    page.get_by_label("state").select_option("failed")
    page.locator(".notice").get_by_text("The service does not answer").wait_for()
    api.start()
    page.get_by_label("state").select_option("running")
    page.get_by_text("None of these.").wait_for()


@pytest.mark.parametrize("can_copy", [True, False])
def test_text_is_copied_on_plain_http_too(opened: Open, can_copy: bool) -> None:
    """From another machine without TLS a page has no clipboard."""
    script = NO_CLIPBOARD + ("" if can_copy else "; document.execCommand = () => false")
    page = opened("/new?target=catalog:digits&source=catalog:mnist_5k", script).page
    page.get_by_text("The same as code").click()
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_text("Copied." if can_copy else "Selected: copy it").wait_for()
    shown = page.locator("figure.code code").first.text_content()
    assert page.evaluate("String(getSelection())").split() == shown.split()


def test_json_that_is_no_object_is_told(opened: Open) -> None:
    page = opened("/new?target=catalog:digits&source=catalog:mnist_5k").page
    page.get_by_text("More settings").click()
    for text, told in (("{", "The JSON cannot be read"), ("[1]", "The JSON cannot be read")):
        page.get_by_label("Anything else, as JSON").fill(text)
        page.get_by_text(told).wait_for()
    page.get_by_label("Anything else, as JSON").fill('{"sources": null}')
    page.get_by_text("expected an array").first.wait_for()
    assert page.get_by_role("button", name="Start").is_disabled()


def test_a_key_that_may_little_can_be_changed(opened: Open, api: RunningApi) -> None:
    with Client(api.url) as client:
        admin = client.keys.create("all", ["admin", "read", "write"]).key
    with Client(api.url, admin) as client:
        predict = client.keys.create("small", ["predict"]).key
    page = opened("/settings").page
    page.get_by_label("Key").fill(predict)
    page.get_by_role("button", name="Open").click()
    page.get_by_role("heading", name="Room on the disk").wait_for()
    page.locator(".problem").first.wait_for()
    page.locator("input[type=password]").fill(admin)
    page.get_by_role("button", name="Use it").click()
    page.get_by_text("running").first.wait_for()
    assert page.locator(".problem").count() == 0
    page.goto(f"{api.url}/#/new?target=catalog:digits&source=catalog:mnist_5k")
    page.get_by_text("The same as code").click()
    assert "Bearer $KTL_API_KEY" in page.locator("figure.code").nth(1).text_content()


def test_all_of_a_long_listing_can_be_reached(opened: Open, settings: Settings) -> None:
    database = Database(settings.database)
    for number in range(120):
        add_dataset(database, project=LOCAL, name=f"numbered {number}")
    database.dispose()
    page = opened("/datasets").page
    rows = page.get_by_role("region", name="Datasets", exact=True).locator("tbody tr")
    for seen in (50, 100, 120):
        rows.nth(seen - 1).wait_for()
        assert rows.count() == seen
        if seen < 120:
            page.get_by_role("button", name="More", exact=True).click()
    assert page.get_by_role("button", name="More", exact=True).count() == 0


def test_drawing_the_page_anew_leaves_the_focus(opened: Open, settings: Settings) -> None:
    """A data set that is being read is looked at again and again."""
    database = Database(settings.database)
    dataset = add_dataset(database, project=LOCAL, name="slow", status="ingesting")
    database.dispose()
    page = opened(f"/datasets/{dataset}").page
    page.get_by_text("Your files are being read.").wait_for()
    language = page.get_by_label("Language")
    language.focus()
    page.wait_for_timeout(2000)
    assert language.evaluate("(element) => element === document.activeElement")


READ = """async (typed) => {
  const { tryIt } = await import("/web/try_it.js");
  const column = { kind: "number", name: "age" };
  const inputs = { modality: "table", columns: [column] };
  const element = tryIt("ward", { inputs, task: { kind: "regression" } });
  document.querySelector("main").replaceChildren(element);
  element.querySelector("input").value = typed;
  element.querySelector("button.primary").click();
  return element.querySelector("figure code").textContent.split("-d ")[1];
}"""


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        *(("1.5", "1.5"), (" 2 ", "2"), ("-1e3", "-1000"), (" ", "null")),
        *((odd, f'"{odd}"') for odd in ("1e999", "3,5", "0x10", "Infinity")),
    ],
)
def test_numbers_are_sent_as_typed(opened: Open, typed: str, sent: str) -> None:
    page = opened("/jobs").page
    page.get_by_text("No job yet.").wait_for()
    assert page.evaluate(READ, typed) == f"""'{{"inputs":[{{"age":{sent}}}]}}'"""
