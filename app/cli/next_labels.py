"""`ktl jobs next-labels`: which items to label next."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import AsJson, JobRef

if TYPE_CHECKING:
    from app.jobs.next_labels.schemas import ChosenItem, Guess, NextLabelsOut

SHOWN = 20
HEADER = ("rank", "split", "index", "identifier", "score", "guess", "probability")


def next_labels(
    job_id: JobRef,
    items: Annotated[int, typer.Option(min=1, max=1000, help="Choose so many.")] = 50,
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="A dataset, by name or ds_…: its items without a label; the target's otherwise.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write them to this file as CSV.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Choose the items whose labels would bring most, and say what that was worth."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        found = client.jobs.next_labels(job_id, items, origin)
    if found.error:
        if as_json:
            output.print_json(found)
        else:
            output.out.print(f"{found.error['code']}: {found.error['message']}", markup=False)
        raise typer.Exit(1)
    if out:
        _write(found, out)
    if as_json:
        output.print_json(found)
        return
    if out:
        output.out.print(str(out), markup=False)
    else:
        rows = [_row(rank, item) for rank, item in enumerate(found.data[:SHOWN], 1)]
        output.print_table(list(HEADER), rows)
    shown = f", the first {SHOWN} shown" if not out and len(found.data) > SHOWN else ""
    said = f"{len(found.data)} of {found.candidates} items without a label{shown}"
    output.out.print(f"{said}\n{found.sentence}", markup=False)


def _write(found: "NextLabelsOut", path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_row(rank, item) for rank, item in enumerate(found.data, 1))


def _row(rank: int, item: "ChosenItem") -> tuple[object, ...]:
    sure = item.guess.probability
    return (
        rank,
        item.split,
        item.index,
        item.identifier,
        f"{item.score:.4g}",
        _told(item.guess),
        None if sure is None else f"{sure:.4g}",
    )


def _told(guess: "Guess") -> str:
    if guess.value is not None:
        return f"{guess.value:.6g}"
    return "; ".join(guess.labels) if guess.labels is not None else str(guess.label)
