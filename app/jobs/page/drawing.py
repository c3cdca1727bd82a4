"""Just enough SVG: scales, ticks and marks. Colours and fonts are the page's CSS classes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup

WIDTH = 720.0
Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True)
class AxisScale:
    """Linear, from values to pixels; all values land on `start` where `low` is `high`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.0
        return self.start + share * (self.end - self.start)


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """About `wanted` round values (1, 2 or 5 times a power of ten) from `low` to `high`."""
    if not high > low:
        return [low]
    rough = (high - low) / wanted
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def padded(values: Iterable[float], share: float = 0.06) -> tuple[float, float]:
    """The values' range with some air around it; never empty."""
    values = list(values)
    low, high = min(values), max(values)
    air = (high - low) * share or abs(high) * share or share
    return low - air, high + air


def spread(places: Sequence[float], gap: float, lowest: float) -> list[float]:
    """The places moved apart to `gap` at least, in their order, none beyond `lowest`."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    for each in reversed(order):
        moved[each] = min(moved[each], lowest)
        lowest = moved[each] - gap
    return moved


# Shapes beside colours: circle, square, triangle, diamond, cross; in units of their radius.
MARKERS: tuple[tuple[Point, ...], ...] = (
    (),
    ((-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)),
    ((0, -1), (0.95, 0.7), (-0.95, 0.7)),
    ((0, -1.1), (1.1, 0), (0, 1.1), (-1.1, 0)),
    ((-1, -1), (0, -0.4), (1, -1), (0.4, 0), (1, 1), (0, 0.4), (-1, 1), (-0.4, 0)),
)


class Drawing:
    """A figure with a title and a description for who cannot see it."""

    def __init__(
        self, name: str, title: str, description: str, height: float, width: float = WIDTH
    ) -> None:
        self.name = name
        self._root = Element(
            "svg",
            {
                "class": "plot",
                "width": f"{width:.0f}",
                "height": f"{height:.0f}",
                "viewBox": f"0 0 {width:.0f} {height:.0f}",
                "role": "img",
                "aria-labelledby": f"{name}-title {name}-desc",
            },
        )
        SubElement(self._root, "title", id=f"{name}-title").text = title
        SubElement(self._root, "desc", id=f"{name}-desc").text = description

    def markup(self) -> Markup:
        # ElementTree has escaped every text and attribute.
        return Markup(tostring(self._root, encoding="unicode"))  # noqa: S704

    def line(self, start: Point, end: Point, style: str) -> None:
        places = dict(zip(("x1", "y1", "x2", "y2"), _numbers(*start, *end), strict=True))
        SubElement(self._root, "line", {**places, "class": style})

    def box(self, corner: Point, other: Point, style: str) -> None:
        (x1, y1), (x2, y2) = corner, other
        values = _numbers(min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1))
        places = dict(zip(("x", "y", "width", "height"), values, strict=True))
        SubElement(self._root, "rect", {**places, "class": style})

    def polyline(self, points: Sequence[Point], style: str) -> None:
        SubElement(self._root, "polyline", {"points": _points(points), "class": style})

    def polygon(self, points: Sequence[Point], style: str) -> None:
        SubElement(self._root, "polygon", {"points": _points(points), "class": style})

    def marker(self, at: Point, shape: int, style: str, radius: float = 4.5) -> None:
        outline = MARKERS[shape % len(MARKERS)]
        if outline:
            self.polygon([(at[0] + radius * x, at[1] + radius * y) for x, y in outline], style)
        else:
            x, y, r = _numbers(*at, radius)
            SubElement(self._root, "circle", {"cx": x, "cy": y, "r": r, "class": style})

    def text(
        self, at: Point, content: str, style: str = "", anchor: Anchor = "start", whole: str = ""
    ) -> None:
        """`whole`: what a pointer that rests on a shortened text is shown."""
        x, y = _numbers(*at)
        attributes = {"x": x, "y": y, "text-anchor": anchor, "class": style}
        element = SubElement(self._root, "text", attributes)
        element.text = content
        if whole and whole != content:
            SubElement(element, "title").text = whole


def _numbers(*values: float) -> list[str]:
    return [f"{value:.1f}" for value in values]


def _points(points: Sequence[Point]) -> str:
    return " ".join(",".join(_numbers(x, y)) for x, y in points)
