"""`ktl backbones …`"""

from typing import Annotated

import typer

from app.cli.options import AsJson

app = typer.Typer(help="Networks that a job can name, and their weights.", no_args_is_help=True)


@app.command("list")
def list_backbones(as_json: AsJson = False) -> None:
    """List the networks: what they are for, and whether pretrained weights are there."""
    from app.cli import output
    from app.client.ktl import Client

    with Client() as client:
        found = client.backbones()
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["name", "for", "weights", "licence", "bytes", "available", "how"],
        [
            (
                each.name,
                each.modality or "any",
                each.weights or "none",
                each.licence,
                each.bytes,
                each.available if each.source != "none" else "",
                each.how,
            )
            for each in found
        ],
    )


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="Of `ktl backbones list`.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Fetch a network's pretrained weights into this machine's data folder, and check them.

    Needs the machine's own settings, no API. KTL_OFFLINE=1 refuses.
    """
    from app.cli import output
    from app.cli.preconditions import CannotStart, close_data_folder
    from app.pretrained.fetching import NotFetched
    from app.pretrained.fetching import fetch as fetched
    from app.settings import Settings
    from app.spec.pretrained import PRETRAINED

    known = {each.backbone: each for each in PRETRAINED.values()}
    if name not in known:
        raise typer.BadParameter(f"expected one of {', '.join(known)}", param_hint="NAME")
    settings = Settings()
    close_data_folder(settings)
    try:
        file = fetched(known[name], settings)
    except NotFetched as error:
        raise CannotStart(str(error)) from error
    if as_json:
        output.print_json({"name": name, "file": str(file), "bytes": file.stat().st_size})
    else:
        typer.echo(f"{name}: {file}")
