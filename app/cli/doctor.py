"""`ktl doctor`"""

from typing import Annotated

import typer

from app.cli.options import AsJson


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Machine")(doctor)


def doctor(
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every stored file and compare it with its hash.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say whether all that ktl needs is there; ends with 1 where something is not.

    With --verify datasets and models whose files are damaged are marked, and those that are whole
    again healed.
    """
    from dataclasses import asdict

    from app.cli import output
    from app.cli.diagnosis import diagnose

    found = []
    for check in diagnose(verify):
        found.append(check)
        if not as_json:
            typer.echo(f"{check.status:7} {check.name}: {check.detail}")
    if as_json:
        output.print_json([asdict(check) for check in found])
    raise typer.Exit(any(check.status == "failed" for check in found))
