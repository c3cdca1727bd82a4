"""Items in files of raw inputs: rows or texts of a CSV file, arrays, JSON."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

if TYPE_CHECKING:
    import numpy as np

    from app.client import Client

CSV_SUFFIXES = {".csv", ".tsv", ".tab"}

OfColumn = Annotated[
    str | None, typer.Option(help="Of a .csv, that holds the texts; else `text`, or the only one.")
]
OfEncoding = Annotated[str | None, typer.Option(help="Of a .csv that is not in UTF-8, as cp1252.")]
OfDecimal = Annotated[
    str | None, typer.Option(metavar=". or ,", help="Of a .csv's numbers; else as they show.")
]
OfMissing = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WORD",
        help="That means in a .csv that nothing is known; again for each. Empty fields do.",
    ),
]


class WrittenLike(NamedTuple):
    """Options about a CSV file, as they were given."""

    column: str | None
    encoding: str | None
    decimal: str | None
    missing: list[str] | None

    def check(self) -> None:
        """Raises BadParameter."""
        if self.decimal not in {None, ".", ","}:
            raise typer.BadParameter("expected . or , for --decimal")


def read(client: "Client", name: str, file: Path, like: WrittenLike) -> "np.ndarray | list[Any]":
    """One file's items, as the deployment `name` is asked about them. Raises Unusable."""
    if file.suffix.lower() in CSV_SUFFIXES:
        return _rows(client, name, file, like)
    return _inputs(file)


def _rows(client: "Client", name: str, file: Path, like: WrittenLike) -> list[Any]:
    """Reads rows of a CSV file, with the columns of the deployment's model, or the texts of a
    column; others are left out, aloud."""
    from app.cli import output, rows, texts
    from app.cli.job_file import Unusable
    from app.inputs.table import TableInputs
    from app.inputs.text import TextInputs

    signature = client.models.get(client.deployments.get(name).model).signature
    inputs = signature and signature.inputs
    if isinstance(inputs, TextInputs):
        found, sentence = texts.read_column(file, like.column, like.encoding)
        output.complain(sentence)
        return found
    if not isinstance(inputs, TableInputs):
        raise Unusable(
            f"{file}: expected .npy or JSON for a model of {inputs and inputs.modality}s, got .csv"
        )
    written = rows.Written(like.encoding, like.decimal, tuple(like.missing or ()))
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
