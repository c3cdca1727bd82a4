"""Answers as a notebook shows them."""

from collections.abc import Iterator
from html import escape
from typing import Any

from .answer import ApiAnswer

HEADLINES = {
    "positive_transfer": "The transfer helped",
    "no_evidence": "No evidence that the transfer helped",
    "negative_transfer": "The transfer did harm",
}
LARGE = 100.0  # from here a number is no rate, and four decimals are too many
EXACT = 1e-9  # sums of floats are no more exact


class ShownReport(ApiAnswer):
    """The evidence, which shows itself in a notebook: the verdict and a row per arm."""

    def _repr_html_(self) -> str:
        rows = "".join(_row(self._cells(name, arm)) for name, arm in self._ranked())
        level = f"{100 * self.confidence:g} %"
        over = f"gain over {self.baseline}" if self.baseline else "gain"
        head = "".join(
            f"<th>{escape(word)}</th>"
            for word in ("arm", self.primary_metric.replace("_", " "), level, over, level)
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        warned = "".join(f"<li>{escape(warning)}</li>" for warning in self.warnings)
        return (
            f"<p><b>{escape(self._headline())}.</b> {escape(self.reason)}"
            f"</p>{table if rows else ''}{f'<ul>{warned}</ul>' if warned else ''}"
        )

    def _headline(self) -> str:
        """What the service's own page says first, in the same words."""
        ranking = self.get("transferability")
        if ranking and not self.arms:
            return str(ranking.headline or "The sources were ranked")
        if self.baseline is not None:
            return str(HEADLINES.get(self.verdict, self.verdict))
        if self.winner is None:
            return "No arm has results"
        chosen = "was chosen" if len(self.arms) > 1 else "is the only arm"
        return f"{self.winner} {chosen}; whether the transfer helped is open without a baseline"

    def _ranked(self) -> Iterator[tuple[str, ApiAnswer]]:
        """Arms, the baseline first, then by gain."""
        yield from sorted(
            self.arms.items(),
            key=lambda each: (each[0] != self.baseline, -(each[1].gain or {"mean": 0})["mean"]),
        )

    def _cells(self, name: str, arm: ApiAnswer) -> tuple[str, ...]:
        value, gain = arm.metrics[self.primary_metric], arm.gain
        bounds = gain and (gain.overall or gain)
        return (
            f"{name} *" if name == self.winner else name,
            _shown(value.mean),
            _bounds(value),
            _shown(gain.mean, "+") if gain else "",
            _bounds(bounds, "+") if bounds else "",
        )


class ReportPage(str):
    """A page of HTML, which shows itself in a notebook, in a frame of its own."""

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self)}" width="100%" height="900" style="border:0"></iframe>'
        )


def _row(cells: tuple[str, ...]) -> str:
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _bounds(interval: Any, sign: str = "") -> str:
    if interval["low"] is None:
        return ""
    return f"{_shown(interval['low'], sign)} … {_shown(interval['high'], sign)}"


def _shown(value: float, sign: str = "") -> str:
    """Four decimals of a rate, one of a large quantity; what is not 0 is not shown as 0."""
    if abs(value) >= LARGE:
        return f"{value:{sign},.1f}"
    if float(f"{value:.4f}"):
        return f"{value:{sign}.4f}"
    return f"{value:{sign}.0e}" if abs(value) >= EXACT else "0.0000"
