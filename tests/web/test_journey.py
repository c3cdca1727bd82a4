"""The whole road in a browser, from an empty service to a prediction."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.system.service import Service, images, job_spec, running
from tests.web.browser import Seen, keep_screenshot

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PATIENCE_MS = 120_000
HOSTILE = '<img src=x onerror="document.title=`owned`">'


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def seen(chromium: Any) -> Iterator[Seen]:
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    seen = Seen(page)
    yield seen
    page.close()
    assert seen.complaints == []


def at(service: Service, path: str) -> str:
    return f"{service.url}/#{path}"


def upload(service: Service, folder: Path, name: str, seed: int) -> str:
    path = folder / "digits.npz"
    path.write_bytes(images(3, 40, seed))
    dataset = service.client.datasets.upload([path], name=name)
    assert service.client.datasets.wait(dataset.id).status == "ready"
    return dataset.id


def test_from_a_file_to_a_prediction(service: Service, seen: Seen, tmp_path: Path) -> None:
    """Drop a file, press a button, watch it learn, read the sentence, try it."""
    source = upload(service, tmp_path, "many", seed=1)
    page = seen.page
    page.goto(at(service, "/"))
    page.get_by_role("button", name="Show me").wait_for()
    assert seen.violations() == []
    keep_screenshot(page, "start")

    page.get_by_role("link", name="Datasets").click()
    (tmp_path / "few.npz").write_bytes(images(3, 20, seed=2))
    page.locator("#files").set_input_files(str(tmp_path / "few.npz"))
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("heading", name="few").wait_for()
    page.get_by_role("link", name="Learn it (target)").wait_for()
    assert page.locator("canvas.thumb").count() > 0
    assert seen.violations() == []
    keep_screenshot(page, "dataset")

    page.get_by_role("link", name="Learn it (target)").click()
    page.get_by_text("This can run").wait_for()  # what there is no choice of is chosen
    assert page.get_by_label("many", exact=True).is_checked()
    assert page.get_by_label("Endpoint").input_value() == "few"
    page.get_by_label("Learn (target)").select_option(label="many")
    assert page.get_by_label("few", exact=True).is_checked()
    assert not page.get_by_label("many", exact=True).is_checked()
    assert page.get_by_label("Endpoint").input_value() == "many"
    page.get_by_label("Learn (target)").select_option(label="few")
    assert page.get_by_label("many", exact=True).is_checked()
    page.get_by_label("Endpoint").fill("shapes")
    page.get_by_text("More settings").click()
    page.get_by_label("Seeds").fill("2")
    page.get_by_label("fine_tune").check()
    page.get_by_label("Epochs").fill("3")
    page.get_by_label("Anything else, as JSON").fill(
        '{"deploy": {"name": "shapes", "when": "always"}, "model": {"backbone": "mlp"}}'
    )
    page.get_by_text("This can run").wait_for()
    assert source in page.locator("figure.code").first.text_content()
    assert seen.violations() == []
    keep_screenshot(page, "new_job")
    page.get_by_role("button", name="Start").click()

    page.locator("canvas.curves").wait_for()
    page.locator(".legend li").first.wait_for()
    page.locator(".reported").wait_for()
    assert page.locator(".reported").locator("h1").count() == 1
    assert seen.violations() == []
    keep_screenshot(page, "job")
    page.set_viewport_size({"width": 375, "height": 700})
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert seen.violations() == []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1200, "height": 900})

    page.get_by_role("link", name="Try it").click()
    board = page.locator("canvas.board")
    board.wait_for()
    box = board.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 150, steps=8)
    page.mouse.up()
    page.locator(".answer").wait_for()
    assert page.locator(".answer").text_content() in {"0", "1", "2"}
    assert seen.violations() == []
    keep_screenshot(page, "deployment")
    assert seen.hosts == {service.url.split("/")[2]}


TOLD = """async ([lines, points]) => {
  const { Series } = await import("/web/series.js");
  const series = new Series();
  for (let x = 1; x <= points; x += 1)
    for (let line = 0; line < lines; line += 1)
      series.add(`trial ${line}`, "lp_ft", "train", { x, loss: 1 / x });
  return series.of("loss", "train").map(({ points }) => points.map(([x]) => x));
}"""


def test_curves_are_kept_whole_where_they_are_few(service: Service, seen: Seen) -> None:
    seen.page.goto(at(service, "/"))
    kept = seen.page.evaluate(TOLD, [10, 1000])
    assert kept == [list(range(1, 1001))] * 10


def test_curves_of_very_many_points_keep_a_part_of_each(service: Service, seen: Seen) -> None:
    seen.page.goto(at(service, "/"))
    kept = seen.page.evaluate(TOLD, [1000, 500])
    assert len(kept) == 1000
    assert sum(map(len, kept)) <= 41_000  # and the last of each
    assert all(line[0] == 1 and line[-1] == 500 and len(line) >= 16 for line in kept)


@pytest.mark.parametrize("path", ["/jobs", "/models", "/settings", "/api", "/nowhere"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_in_both_themes(service: Service, seen: Seen, path: str, theme: str) -> None:
    page = seen.page
    page.emulate_media(color_scheme=theme)
    page.goto(at(service, path))
    page.locator("h1").wait_for()
    assert seen.violations() == []
    keep_screenshot(page, f"{path.strip('/')}_{theme}")


def test_a_phone_and_chinese(service: Service, seen: Seen) -> None:
    page = seen.page
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto(at(service, "/jobs"))
    page.get_by_label("Language").select_option("zh")
    page.get_by_role("heading", name="任务").first.wait_for()
    assert page.evaluate("document.documentElement.lang") == "zh"
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert seen.violations() == []


def test_names_are_never_markup(service: Service, seen: Seen, tmp_path: Path) -> None:
    dataset = upload(service, tmp_path, HOSTILE, seed=3)
    other = upload(service, tmp_path, f"{HOSTILE} 2", seed=4)
    spec = job_spec(dataset, other, name=HOSTILE, deploy={"name": "odd", "when": "always"})
    job = service.client.jobs.wait(service.client.jobs.submit(spec).id)
    paths = ["/", "/datasets", f"/datasets/{dataset}", f"/new?target={dataset}", "/jobs"]
    paths += [f"/jobs/{job.id}", "/models", f"/models/{job.models[0]}", "/deployments/odd"]
    for path in paths:
        seen.page.goto("about:blank")
        seen.page.goto(at(service, path))
        seen.page.locator("main > * > h1, main > h1").first.wait_for()
        assert seen.page.title() != "owned", path
        assert seen.page.locator("img[src=x]").count() == 0, path


def test_a_file_that_fails_is_described_better(
    service: Service, seen: Seen, tmp_path: Path
) -> None:
    """The problem in words, and the way out: nothing has to be chosen again."""
    rng = np.random.default_rng(0)
    states = ["ill" if place % 3 else "well" for place in range(90)]
    rows = [f"{rng.integers(20, 80)},{rng.normal():.3f},{state}" for state in states]
    (tmp_path / "ward.csv").write_text("age,pressure,state\n" + "\n".join(rows))
    page = seen.page
    page.goto(at(service, "/datasets"))
    page.locator("#files").set_input_files(str(tmp_path / "ward.csv"))
    page.get_by_role("button", name="Upload").click()
    page.get_by_text("expected one column named label").first.wait_for()
    page.get_by_label("Column with the labels").select_option("state")
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("heading", name="Columns").wait_for()
    assert page.get_by_role("row", name="pressure").count() == 1


def test_two_tabs_that_change_one_deployment(
    service: Service, seen: Seen, chromium: Any, tmp_path: Path
) -> None:
    one, two = (upload(service, tmp_path, name, seed) for name, seed in (("p", 5), ("q", 6)))
    spec = job_spec(one, two, deploy={"name": "shared", "when": "always"})
    first = service.client.jobs.wait(service.client.jobs.submit(spec).id)
    again = service.client.jobs.wait(service.client.jobs.submit({**spec, "seed": 1}).id)
    assert first.models != again.models
    seen.page.goto(at(service, "/deployments/shared"))
    seen.page.get_by_role("button", name="Switch to it").wait_for()
    service.client.deployments.rollback("shared")  # another tab, meanwhile
    seen.page.get_by_role("button", name="Switch to it").click()
    seen.page.get_by_text("Somebody else has changed this meanwhile").wait_for()
    assert service.client.deployments.get("shared").version == 3
