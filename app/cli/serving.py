"""`ktl predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import AsJson, DeploymentName

if TYPE_CHECKING:
    import numpy as np

    from app.cli.rows import Written
    from app.client import Client

CSV_SUFFIXES = {".csv", ".tsv", ".tab"}


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
    column: Annotated[
        str | None,
        typer.Option(help="Of a .csv, that holds the texts; else `text`, or the only one."),
    ] = None,
    top_k: Annotated[int | None, typer.Option(min=1, help="Show the best so many labels.")] = None,
    raw_scores: Annotated[
        bool, typer.Option("--raw-scores", help="The network's own scores, not calibrated.")
    ] = False,
    encoding: Annotated[
        str | None, typer.Option(help="Of a .csv that is not in UTF-8, as cp1252.")
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(metavar=". or ,", help="Of a .csv's numbers; else as they show.")
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD",
            help="That means in a .csv that nothing is known; again for each. Empty fields do.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a deployment about raw inputs. Whether the scores are calibrated, and doubts about the
    inputs, are said on standard error."""
    if decimal not in {None, ".", ","}:
        raise typer.BadParameter("expected . or , for --decimal")
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
            if file.suffix.lower() in CSV_SUFFIXES:
                from app.cli.rows import Written

                written = Written(encoding, decimal, tuple(missing or ()))
                inputs = _rows(client, name, file, written, column)
            else:
                inputs = _inputs(file)
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


def _rows(
    client: "Client", name: str, file: Path, written: "Written", column: str | None
) -> list[Any]:
    """Reads rows of a CSV file, with the columns of the deployment's model, or the texts of
    `column`; others are left out, aloud."""
    from app.cli import output, rows, texts
    from app.cli.job_file import Unusable
    from app.inputs.table import TableInputs
    from app.inputs.text import TextInputs

    signature = client.models.get(client.deployments.get(name).model).signature
    inputs = signature and signature.inputs
    if isinstance(inputs, TextInputs):
        found, sentence = texts.read_column(file, column, written.encoding)
        output.complain(sentence)
        return found
    if not isinstance(inputs, TableInputs):
        raise Unusable(
            f"{file}: expected .npy or JSON for a model of {inputs and inputs.modality}s, got .csv"
        )
    rows_found, said = rows.read(file, inputs, written)
    for sentence in said:
        output.complain(sentence)
    return rows_found


def _inputs(file: Path) -> "np.ndarray | list[Any]":
    """An array from .npy; a list from JSON, which may also be the body of a request."""
    import sys

    import numpy as np

    from app.cli.job_file import Unusable
    from app.errors import BadRequest, Invalid
    from app.json_text import decode

    try:
        if file.suffix == ".npy":
            array: np.ndarray = np.load(file, allow_pickle=False)
            return array
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        value = decode(text.encode(errors="surrogatepass"), "it")
    except (OSError, ValueError, BadRequest, Invalid) as error:
        raise Unusable(f"{file}: expected raw inputs as .npy or JSON, got: {error}") from error
    inputs = value.get("inputs") if isinstance(value, dict) else value
    if not isinstance(inputs, list):
        raise Unusable(f"{file}: expected a list of inputs, got {type(inputs).__name__}")
    return inputs
