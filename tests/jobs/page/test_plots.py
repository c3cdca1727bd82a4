"""Figures against positions worked out by hand."""

import csv
import io
import re
from base64 import b64decode
from xml.etree import ElementTree

import pytest

from app.jobs.page import plots
from app.jobs.page.figure import Figure
from app.spec.report import CurvePoint
from tests.jobs.page.examples import interval, report

Attributes = dict[str, str]


def elements(figure: Figure, tag: str, style: str = "") -> list[Attributes]:
    root = ElementTree.fromstring(figure.svg)
    return [each.attrib for each in root.iter(tag) if style in each.get("class", "").split()]


def texts(figure: Figure) -> list[str]:
    return [str(each.text) for each in ElementTree.fromstring(figure.svg).iter("text")]


def test_budgets_stand_where_their_logarithms_do() -> None:
    points = [
        CurvePoint(
            labels_per_class=budget,
            labels=labels,
            arms={"scratch": interval(0.5, 0.1, 3), "lp_ft": interval(0.6, 0.1, 3)},
            gains={},
        )
        for budget, labels in ((1, 10), (10, 100), (None, 1000))
    ]
    figure = plots.learning_curve(points, {"scratch": 0, "lp_ft": 1}, "accuracy", "lp_ft")
    (scratch, _) = elements(figure, "polyline", "line")
    first, second, third = (float(each.split(",")[0]) for each in scratch["points"].split())
    assert second - first == pytest.approx(third - second, abs=0.11)
    assert len(elements(figure, "polygon", "band")) == 2
    assert {"1 per class", "all", "scratch", "lp_ft"} <= set(texts(figure))


def test_a_single_seed_has_no_band() -> None:
    points = report(seeds=1).learning_curve
    figure = plots.learning_curve(points, {"scratch": 0, "fine_tune": 1}, "accuracy", None)
    assert all(band["points"] == "" for band in elements(figure, "polygon", "band"))


def test_every_known_interval_of_a_gain_is_drawn_about_its_mean() -> None:
    gain = report().arms["lp_ft"].gain
    assert gain is not None
    figure = plots.forest({"lp_ft": gain}, {"lp_ft": 1}, "accuracy", 0.95, "source_only")
    lines = [line for line in elements(figure, "line", "stroke") if line["y1"] == line["y2"]]
    assert len(lines) == 3
    seeds = lines[1]  # symmetric, as it is made
    (marker,) = elements(figure, "polygon", "mark")
    corners = [float(corner.split(",")[0]) for corner in marker["points"].split()]
    middle = (max(corners) + min(corners)) / 2
    assert (float(seeds["x1"]) + float(seeds["x2"])) / 2 == pytest.approx(middle, abs=0.11)
    assert {"[+0.0916, +0.1370]", "← source_only is better"} <= set(texts(figure))


def test_bars_are_as_long_as_their_gains() -> None:
    classes = report(("a", "b")).arms["lp_ft"].per_class
    made = [
        each.model_copy(update={"gain": interval(mean, 0.02, 5)})
        for each, mean in zip(classes, (0.2, -0.1), strict=True)
    ]
    figure = plots.class_gains(made, "lp_ft", "scratch")
    (gain,), (loss,) = (elements(figure, "rect", side) for side in ("gain", "loss"))
    assert float(gain["width"]) == pytest.approx(2 * float(loss["width"]), abs=0.2)
    assert float(loss["x"]) + float(loss["width"]) == pytest.approx(float(gain["x"]), abs=0.11)


def test_bins_without_items_are_left_out() -> None:
    calibration = report().arms["lp_ft"].calibration
    assert calibration is not None
    figure = plots.reliability(calibration, "lp_ft", 1)
    assert len(elements(figure, "rect", "pale")) == 2 * 14  # the first of 15 is empty


def test_colours_repeat_but_the_baseline_keeps_its_own() -> None:
    assert [plots.colour(number) for number in (0, 1, 5, 6, 7)] == ["c0", "c1", "c5", "c1", "c2"]


def test_a_figure_is_kept_as_it_is_drawn_with_its_numbers() -> None:
    gain = report().arms["lp_ft"].gain
    assert gain is not None
    figure = plots.forest({"=a,b": gain}, {"=a,b": 1}, "accuracy", 0.95, "scratch")
    links = re.findall(r'download="([^"]+)" href="data:([^;]+)[^,]*,([^"]+)"', figure.__html__())
    kept = {name: b64decode(content).decode() for name, _, content in links}
    assert [kind for _, kind, _ in links] == ["image/svg+xml", "text/csv"]
    alone = ElementTree.fromstring(kept["forest.svg"])
    assert alone.tag == "{http://www.w3.org/2000/svg}svg"
    assert alone[0].text is not None
    assert "--c1:" in alone[0].text
    assert "prefers-color-scheme" not in alone[0].text
    head, *rows = csv.reader(io.StringIO(kept["forest.csv"]))
    assert head == ["arm", "gain", "interval", "low", "high"]
    assert rows[0][:3] == ["=a,b", repr(gain.mean), "overall"]
    assert len(rows) == 3
