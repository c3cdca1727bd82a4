"""`ktl predict`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli import sent_items
from app.cli.options import AsJson, DeploymentName


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Serving")(predict)


def predict(
    name: DeploymentName,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Pictures or .txt, or folders of them, as many as you like; or raw inputs: one "
            ".npy, one JSON file (- for standard input), or rows or texts as one .csv or .tsv."
        ),
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="A text; again for each.")
    ] = None,
    column: sent_items.OfColumn = None,
    top_k: Annotated[int | None, typer.Option(min=1, help="Show the best so many labels.")] = None,
    raw_scores: Annotated[
        bool, typer.Option("--raw-scores", help="The network's own scores, not calibrated.")
    ] = False,
    encoding: sent_items.OfEncoding = None,
    decimal: sent_items.OfDecimal = None,
    missing: sent_items.OfMissing = None,
    as_json: AsJson = False,
) -> None:
    """Ask a deployment about raw inputs. Whether the scores are calibrated, and doubts about the
    inputs, are said on standard error."""
    like = sent_items.WrittenLike(column, encoding, decimal, missing)
    like.check()
    if bool(files) == bool(text):
        raise typer.BadParameter("expected files, or --text and no files")
    from app.cli import output, sent_pictures, texts
    from app.client import Client
    from app.prediction.schemas import LabelSet, Prediction, Quantity

    with Client() as client:
        items: list[object]
        files = sent_pictures.expanded(files or [])
        if text or texts.are_files_of_texts(files):
            inputs: Any = text or texts.read_files(files, encoding)
            answer = client.deployments.predict(name, inputs, top_k, raw_scores)
            items = [*files] or [*range(len(inputs))]
        elif sent_pictures.are_pictures(files):
            answer = sent_pictures.ask(client, name, files, top_k, raw_scores)
            items = [*files]
        else:
            (file,) = files
            inputs = sent_items.read(client, name, file, like)
            answer = client.deployments.predict(name, inputs, top_k, raw_scores)
            items = [*range(len(answer.outputs))]
    for warning in answer.warnings:
        output.complain(f"warning: {warning.code}: {warning.pointer}: {warning.detail}")
    if as_json:
        output.print_json(answer)
        return
    quantities = [each for each in answer.outputs if isinstance(each, Quantity)]
    if quantities:
        output.print_table(
            ["item", "value"],
            [(item, f"{each.value:g}") for item, each in zip(items, quantities, strict=True)],
        )
        return
    output.print_table(
        ["item", "label", "score"],
        [
            (item, best.label, f"{best.score:.4f}")
            for item, each in zip(items, answer.outputs, strict=True)
            if isinstance(each, Prediction)
            for best in each.scores or [each]
        ]
        + [
            (item, label.label, f"{label.score:.4f}")
            for item, each in zip(items, answer.outputs, strict=True)
            if isinstance(each, LabelSet)
            for label in each.scores or each.labels
        ],
    )
    if answer.calibrated:
        output.complain(f"scores are calibrated (temperature {answer.temperature:.3g})")
    else:
        output.complain("scores are not calibrated")
