"""A figure that can be kept: its drawing alone as an SVG file, the numbers in it as a CSV file."""

import csv
import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

from app.jobs.page.drawing import Drawing

SVG = 'xmlns="http://www.w3.org/2000/svg"'
STYLES = ("light.css", "plot.css")


@dataclass(frozen=True)
class Figure:
    """Inside of the page its drawing, and links that hold both files, so that the page still asks
    for nothing."""

    drawing: Drawing
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]

    @property
    def svg(self) -> Markup:
        return self.drawing.markup()

    def __html__(self) -> Markup:
        kept = Markup(" · ").join(
            Markup('<a download="{}.{}" href="data:{};base64,{}">{}</a>').format(
                self.drawing.name, kind.lower(), media, b64encode(text.encode()).decode(), kind
            )
            for kind, media, text in (
                ("SVG", "image/svg+xml", self.alone()),
                ("CSV", "text/csv;charset=utf-8", self.table()),
            )
        )
        return Markup(
            '<figure>{}<figcaption class="kept">this figure: {}</figcaption></figure>'
        ).format(self.svg, kept)

    def alone(self) -> str:
        """The drawing as a document of its own, with light colours."""
        start, end, rest = str(self.svg).partition(">")
        style = f"<style>{escape(_style())}</style>"
        return f"{start.replace('<svg', f'<svg {SVG}', 1)}{end}{style}{rest}"

    def table(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([self.columns, *self.rows])
        return text.getvalue()


@cache
def _style() -> str:
    return "".join((Path(__file__).parent / name).read_text("utf-8") for name in STYLES)
