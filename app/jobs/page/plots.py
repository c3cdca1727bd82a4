"""The report's figures. Every arm keeps its colour and its marker through the page."""

from collections.abc import Mapping, Sequence
from math import log

from app.jobs.page import numbers
from app.jobs.page.drawing import WIDTH, AxisScale, Drawing, Point, padded, spread, ticks
from app.jobs.page.figure import Figure
from app.spec.figures import Bin, CalibrationOut
from app.spec.intervals import Bounds, Gain, Interval
from app.spec.report import ClassMetrics, CurvePoint

RATE = (0.0, 1.0)
Styles = Mapping[str, int]  # arm -> its number; the baseline's is 0
COLOURS = 6
LABEL_WIDTH = 152.0
BANDS_AT_MOST = 4  # more bands than that hide each other: then only the baseline's and the winner's


def colour(number: int) -> str:
    """The CSS class of an arm: 0 is the baseline's alone."""
    return f"c{(number - 1) % (COLOURS - 1) + 1}" if number else "c0"


def forest(
    gains: Mapping[str, Gain], styles: Styles, metric: str, confidence: float, baseline: str
) -> Figure:
    """Each arm's gain over the baseline with its intervals, about the line of no gain."""
    rows = {name: _intervals(gain) for name, gain in gains.items()}
    line_height, arm_gap, top = 19.0, 15.0, 30.0
    lines = sum(len(intervals) for intervals in rows.values())
    bottom = top + lines * line_height + len(rows) * arm_gap
    ends = [end for each in rows.values() for _, b in each for end in (b.low, b.high)]
    low, high = padded([0.0, *ends, *(gain.mean for gain in gains.values())])
    x = AxisScale(low, high, LABEL_WIDTH + 82, WIDTH - 142)
    told = "; ".join(
        f"{name} {numbers.signed(gain.mean)}, "
        + ", ".join(f"{kind} {_bounds(interval)}" for kind, interval in rows[name])
        for name, gain in gains.items()
    )
    drawing = Drawing(
        "forest",
        f"Gain of each arm over {baseline} in {metric}",
        f"Means with {numbers.percent(confidence)} intervals: {told}",
        bottom + 40,
    )
    for value in ticks(low, high):
        drawing.line((x(value), top - 6), (x(value), bottom), "grid")
        label = f"{value:+.3g}".replace("-", numbers.MINUS) if abs(value) > 1e-12 else "0"
        drawing.text((x(value), bottom + 16), label, "tick", "middle")
    drawing.line((x(0), top - 12), (x(0), bottom), "zero")
    drawing.text((x(0) - 8, top - 14), f"← {baseline} is better", "muted", "end")
    drawing.text((x(0) + 8, top - 14), "transfer is better →", "muted")
    drawing.text(((x.start + x.end) / 2, bottom + 34), f"gain in {metric}", "muted", "middle")
    y = top
    for name, gain in gains.items():
        style = colour(styles[name])
        y += arm_gap / 2 + line_height / 2
        drawing.text((0, y + 4), numbers.short(name, 20), "strong", whole=name)
        for row, (kind, interval) in enumerate(rows[name]):
            drawing.text((x.start - 12, y + 4), kind, "muted", "end")
            weight = "thick" if row == 0 else "thin"
            drawing.line((x(interval.low), y), (x(interval.high), y), f"stroke {style} {weight}")
            if row == 0:
                drawing.marker((x(gain.mean), y), styles[name], f"mark {style}", 5.5)
            else:
                drawing.line((x(gain.mean), y - 4), (x(gain.mean), y + 4), f"stroke {style} thin")
            drawing.text((WIDTH, y + 4), _bounds(interval), "number", "end")
            y += line_height
        y += arm_gap / 2 - line_height / 2
    drawn = [
        (name, gain.mean, kind, bounds.low, bounds.high)
        for name, gain in gains.items()
        for kind, bounds in rows[name]
    ]
    return Figure(drawing, ("arm", "gain", "interval", "low", "high"), drawn)


def learning_curve(
    points: Sequence[CurvePoint],
    styles: Styles,
    metric: str,
    winner: str | None,
    within: tuple[float, float] = RATE,
    has_classes: bool = True,
) -> Figure:
    """The primary metric, which lies `within` its bounds, against the number of labels, on a log
    axis."""
    arms = [name for name in styles if any(name in point.arms for point in points)]
    found = [interval for point in points for interval in point.arms.values()]
    known = [end for each in found for end in (each.mean, each.low, each.high) if end is not None]
    low, high = padded(known)
    top, bottom = 14.0, 330.0
    x = AxisScale(_log(points[0]), _log(points[-1]), 62, WIDTH - 130)
    y = AxisScale(max(within[0], low), min(within[1], high), bottom, top)
    told = "; ".join(
        f"{numbers.count(point.labels)} labels: "
        + ", ".join(f"{n} {numbers.score(point.arms[n].mean)}" for n in arms if n in point.arms)
        for point in points
    )
    drawing = Drawing("curve", f"{metric} against the number of labels", told, bottom + 56)
    _grid(drawing, y, x.start, x.end)
    drawing.text((0, top - 4), metric, "muted")
    shown = -100.0
    for point in points:
        place = x(_log(point))
        drawing.line((place, bottom), (place, bottom + 5), "axis")
        if place - shown > 60:
            drawing.text((place, bottom + 19), numbers.count(point.labels), "tick", "middle")
            own = point.labels_per_class
            budget = "all" if own is None else f"{numbers.count(own)} per class"
            if has_classes or own is None:
                drawing.text((place, bottom + 33), budget, "muted", "middle")
            shown = place
    drawing.line((x.start, bottom), (x.end, bottom), "axis")
    counted = "labels, all classes together" if has_classes else "labels"
    drawing.text(((x.start + x.end) / 2, bottom + 52), counted, "muted", "middle")
    lines = {name: [(x(_log(p)), p.arms[name]) for p in points if name in p.arms] for name in arms}
    for name, line in lines.items():
        if len(arms) <= BANDS_AT_MOST or name == winner or not styles[name]:
            drawing.polygon(_band(line, y), f"band {colour(styles[name])}")
    for name, line in lines.items():
        weight = "thick" if name == winner else "thin"
        dash = "" if styles[name] else " dashed"
        path = [(place, y(each.mean)) for place, each in line]
        drawing.polyline(path, f"stroke line {colour(styles[name])} {weight}{dash}")
        for at in path:
            drawing.marker(at, styles[name], f"mark {colour(styles[name])}")
    ends = spread([y(line[-1][1].mean) for line in lines.values()], 16, bottom)
    for (name, line), end in zip(lines.items(), ends, strict=True):
        place = line[-1][0]
        if abs(end - y(line[-1][1].mean)) > 3:
            drawing.line((place + 6, y(line[-1][1].mean)), (place + 14, end), "axis")
        drawing.marker((place + 20, end), styles[name], f"mark {colour(styles[name])}")
        drawing.text((place + 29, end + 4), numbers.short(name, 15), "strong", whole=name)
    drawn = [
        (point.labels, point.labels_per_class, name, each.mean, each.low, each.high)
        for point in points
        for name in arms
        if (each := point.arms.get(name))
    ]
    columns = ("labels", "labels_per_class", "arm", metric, "low", "high")
    return Figure(drawing, columns, drawn)


def class_gains(classes: Sequence[ClassMetrics], arm: str, baseline: str) -> Figure:
    """Bars of each class's gain in F1, in the order given; classes without a gain are left out."""
    bars = [(each.label, each.gain) for each in classes if each.gain is not None]
    row, top = 18.0, 26.0
    bottom = top + row * len(bars)
    ends = [end for _, gain in bars for end in (gain.mean, gain.low, gain.high) if end is not None]
    low, high = padded([0.0, *ends])
    x = AxisScale(low, high, LABEL_WIDTH, WIDTH - 64)
    told = ", ".join(f"{label} {numbers.signed(gain.mean)}" for label, gain in bars)
    drawing = Drawing(
        "classes", f"Gain in F1 of {arm} over {baseline}, by class", told, bottom + 22
    )
    for value in ticks(low, high, 6):
        drawing.line((x(value), top - 4), (x(value), bottom), "grid")
        label = f"{value:+.2g}".replace("-", numbers.MINUS) if abs(value) > 1e-12 else "0"
        drawing.text((x(value), top - 10), label, "tick", "middle")
        drawing.text((x(value), bottom + 16), label, "tick", "middle")
    for n, (label, gain) in enumerate(bars):
        y = top + row * n + row / 2
        drawing.text((x.start - 8, y + 4), numbers.short(label, 22), "label", "end", whole=label)
        side = "gain" if gain.mean >= 0 else "loss"
        drawing.box((x(0), y - 6), (x(gain.mean), y + 6), f"bar {side}")
        if gain.low is not None and gain.high is not None:
            drawing.line((x(gain.low), y), (x(gain.high), y), "whisker")
            for end in (gain.low, gain.high):
                drawing.line((x(end), y - 3), (x(end), y + 3), "whisker")
        drawing.text((WIDTH, y + 4), numbers.signed(gain.mean), "number", "end")
    drawing.line((x(0), top - 4), (x(0), bottom), "zero")
    drawn = [(label, gain.mean, gain.low, gain.high) for label, gain in bars]
    return Figure(drawing, ("class", "gain", "low", "high"), drawn)


def reliability(calibration: CalibrationOut, arm: str, number: int) -> Figure:
    """Accuracy against confidence, before and after the temperature, with the items' shares."""
    panels = (
        ("before", 40.0, calibration.bins_before, calibration.ece_before),
        ("after", 410.0, calibration.bins_after, calibration.ece_after),
    )
    drawing = Drawing(
        f"reliability-{number}",
        f"Reliability of {arm}",
        f"Expected calibration error {numbers.score(calibration.ece_before)} before the "
        f"temperature, {numbers.score(calibration.ece_after)} after it",
        376,
    )
    for when, left, bins, ece in panels:
        x, y = AxisScale(0, 1, left, left + 300), AxisScale(0, 1, 268, 26)
        drawing.text((left, 14), f"{numbers.short(arm, 20)}, {when} temperature", "strong")
        drawing.text((left + 300, 14), f"ECE {numbers.score(ece)}", "number", "end")
        _grid(drawing, y, x.start, x.end)
        _bins(drawing, bins, x, y, colour(number))
        drawing.line((x(0), y(0)), (x(1), y(1)), "zero dashed")
        _histogram(drawing, bins, x, 280, 320)
        for value in ticks(0, 1):
            drawing.text((x(value), 336), f"{value:.1f}", "tick", "middle")
        drawing.text((left + 150, 352), "confidence", "muted", "middle")
    drawing.text(
        (0, 372), "bars: accuracy · dots: mean confidence, accuracy · below: items", "muted"
    )
    drawn = [
        (when, each.low, each.high, each.items, each.confidence, each.accuracy)
        for when, _, bins, _ in panels
        for each in bins
    ]
    columns = ("temperature", "from", "to", "items", "confidence", "accuracy")
    return Figure(drawing, columns, drawn)


def _bins(drawing: Drawing, bins: Sequence[Bin], x: AxisScale, y: AxisScale, style: str) -> None:
    for each in bins:
        if each.accuracy is not None and each.confidence is not None:
            drawing.box(
                (x(each.low) + 1, y(0)), (x(each.high) - 1, y(each.accuracy)), f"pale {style}"
            )
            drawing.marker((x(each.confidence), y(each.accuracy)), 0, f"mark {style}", 3.5)


def _histogram(
    drawing: Drawing, bins: Sequence[Bin], x: AxisScale, top: float, bottom: float
) -> None:
    most = max((each.items for each in bins), default=0)
    for each in bins:
        if each.items:
            height = max(1.0, (bottom - top) * each.items / most)
            drawing.box((x(each.low) + 1, bottom), (x(each.high) - 1, bottom - height), "quiet")
    drawing.line((x(0), bottom), (x(1), bottom), "axis")


def _grid(drawing: Drawing, y: AxisScale, left: float, right: float) -> None:
    """Horizontal lines with their values to the left."""
    for value in ticks(y.low, y.high):
        drawing.line((left, y(value)), (right, y(value)), "grid")
        drawing.text((left - 8, y(value) + 4), numbers.tick(value), "tick", "end")


def _intervals(gain: Gain) -> list[tuple[str, Bounds]]:
    """The gain's intervals that are known, the one the verdict rests on first."""
    known = gain.low is not None and gain.high is not None
    seeds = Bounds(low=gain.low, high=gain.high) if known else None
    named = [("overall", gain.overall), ("seeds", seeds), ("test items", gain.bootstrap)]
    return [(kind, bounds) for kind, bounds in named if bounds is not None]


def _bounds(interval: Bounds) -> str:
    return numbers.bounds(interval.low, interval.high, sign=True)


def _band(line: Sequence[tuple[float, Interval]], y: AxisScale) -> list[Point]:
    """Around the points whose interval is known; cut at the plot's edges."""
    known = [(x, i.low, i.high) for x, i in line if i.low is not None and i.high is not None]
    upper = [(x, y(min(high, y.high))) for x, _, high in known]
    return upper + [(x, y(max(low, y.low))) for x, low, _ in reversed(known)]


def _log(point: CurvePoint) -> float:
    return log(max(1, point.labels))
