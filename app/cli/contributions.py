"""Explanations, for a person at a terminal."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from app.cli.output import out, print_table
from app.prediction.explaining.schemas import (
    Contributions,
    Explanation,
    JoinedContributions,
    PictureContributions,
    TableContributions,
    TextContributions,
)

SHOWN = 20  # rows of a table
FOR, AGAINST = " ░▒▓█", " -=≡#"  # by falling distance from 0
NEGLIGIBLE = 0.05  # of the largest change, below which a cell stays empty


def show(found: Explanation) -> None:
    unit = f" {found.unit}" if found.unit else ""
    out.print(f"{found.output}: {_number(found.answer, '')}{unit}", markup=False, highlight=False)
    _show(found.contributions, unit)


def _show(told: Contributions, unit: str) -> None:
    match told:
        case PictureContributions():
            _show_picture(told, unit)
        case TableContributions():
            rows = [
                (", ".join(each.columns), _values(each.values), each.contribution)
                for each in told.columns
            ]
            _show_ranked(["column", "value"], rows, unit)
        case TextContributions():
            words = [
                (each.text, f"{each.start}-{each.end}", each.contribution) for each in told.pieces
            ]
            _show_ranked(["text", "characters"], words, unit)
        case JoinedContributions():
            parts = [(each.part, "", each.contribution) for each in told.parts]
            _show_ranked(["part", ""], parts, unit)
            for part in told.parts:
                out.print(f"\nwithin {part.part}:", markup=False, highlight=False)
                _show(part.within, unit)
        case _:
            assert_never(told)


def _show_ranked(
    heads: Sequence[str], rows: Sequence[tuple[str, str, float | None]], unit: str
) -> None:
    """The largest changes first."""
    ranked = sorted(rows, key=lambda row: -abs(row[2] or 0))
    shown = [(*row[:2], _number(row[2], "+")) for row in ranked[:SHOWN]]
    print_table([*heads, f"contribution{unit}"], shown)
    if len(ranked) > SHOWN:
        out.print(f"and {len(ranked) - SHOWN} that change it less; --json has them all")


def _show_picture(told: PictureContributions, unit: str) -> None:
    changes = [[change or 0.0 for change in line] for line in told.contributions]
    flat = [change for line in changes for change in line]
    most = max(map(abs, flat))
    for line in changes:
        text = "".join(_cells(line, most))
        out.print(text, markup=False, highlight=False, soft_wrap=True)
    high, low = max(0.0, *flat), min(0.0, *flat)
    out.print(
        f"{FOR[1:]} speaks for it, {_number(high, '+')}{unit} at most; "
        f"{AGAINST[1:]} against it, {_number(low, '+')}{unit} at most",
        markup=False,
        highlight=False,
    )


def _cells(line: Sequence[float], most: float) -> Iterator[str]:
    for change in line:
        share = abs(change) / most if most else 0.0
        levels = FOR if change > 0 else AGAINST
        level = min(len(levels) - 1, 1 + int(share * (len(levels) - 1)))
        yield 2 * (levels[0] if share < NEGLIGIBLE else levels[level])


def _values(values: Sequence[object]) -> str:
    return str(values[0]) if len(values) == 1 else f"{len(values)} values"


def _number(value: float | None, sign: str) -> str:
    """A score with four decimals, anything larger with four digits."""
    if value is None:
        return "nothing is left without it"
    decimals = 4 if abs(value) < 10 else 1
    return f"{value:{sign},.{decimals}f}"
