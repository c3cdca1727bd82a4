"""`ktl explain`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import sent_items
from app.cli.options import AsJson, DeploymentName

if TYPE_CHECKING:
    from app.client import Client


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Serving")(explain)


def explain(
    name: DeploymentName,
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A picture or .txt; or raw inputs as `ktl predict` takes them, one item of them."
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="A text.")] = None,
    item: Annotated[
        int | None, typer.Option(min=0, help="Of several items in the file, which: from 0.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="The class to explain; else the one that is answered.")
    ] = None,
    column: sent_items.OfColumn = None,
    encoding: sent_items.OfEncoding = None,
    decimal: sent_items.OfDecimal = None,
    missing: sent_items.OfMissing = None,
    as_json: AsJson = False,
) -> None:
    """Ask what of one item speaks for the answer: how much the score changes when a patch, a
    column, a word is taken away. It tells how this model's answer changes, not why."""
    like = sent_items.WrittenLike(column, encoding, decimal, missing)
    like.check()
    if (file is None) == (text is None):
        raise typer.BadParameter("expected a file, or --text and no file")
    from app.cli import contributions
    from app.cli import output as outputs
    from app.client import Client

    with Client() as client:
        asked = text if file is None else _item(client, name, file, item, like)
        found = client.deployments.explain(name, asked, output)
    for warning in found.warnings or []:
        outputs.complain(f"warning: {warning.code}: {warning.pointer}: {warning.detail}")
    if as_json:
        outputs.print_json(found)
        return
    contributions.show(found)
    outputs.complain(found.note)


def _item(
    client: "Client", name: str, file: Path, place: int | None, like: sent_items.WrittenLike
) -> Any:
    """A picture's path, or one of the items that a file holds. Raises Unusable."""
    from app.cli import sent_pictures, texts
    from app.cli.job_file import Unusable

    files = sent_pictures.expanded([file])
    if texts.are_files_of_texts(files):
        items: Any = texts.read_files(files, like.encoding)
    elif sent_pictures.are_pictures(files):
        items = files
    else:
        items = sent_items.read(client, name, file, like)
    if place is None and len(items) != 1:
        raise Unusable(f"{file}: expected one item, got {len(items)}; --item says which, from 0")
    if place is not None and place >= len(items):
        raise Unusable(f"{file}: expected --item below {len(items)}, the items there are")
    return items[place or 0]
