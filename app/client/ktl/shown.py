"""Answers as a notebook shows them."""

from collections.abc import Iterator
from html import escape
from typing import Any

from .answer import ApiAnswer

HEADLINES = {
    "positive_transfer": "The transfer helped.",
    "no_evidence": "No evidence that the transfer helped.",
    "negative_transfer": "The transfer did harm.",
}


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
            f"<p><b>{escape(HEADLINES.get(self.verdict, self.verdict))}</b> {escape(self.reason)}"
            f"</p>{table if rows else ''}{f'<ul>{warned}</ul>' if warned else ''}"
        )

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
            f"{value.mean:.4f}",
            _bounds(value, ".4f"),
            f"{gain.mean:+.4f}" if gain else "",
            _bounds(bounds, "+.4f") if bounds else "",
        )


class ReportPage(str):
    """A page of HTML, which shows itself in a notebook, in a frame of its own."""

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self)}" width="100%" height="900" style="border:0"></iframe>'
        )


def _row(cells: tuple[str, ...]) -> str:
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _bounds(interval: Any, how: str) -> str:
    if interval["low"] is None:
        return ""
    return f"{interval['low']:{how}} … {interval['high']:{how}}"
