"""Commands that run something on a machine: all of ktl, or one role."""

import os
import sys

import typer

from app.cli.gc import gc


def register(app: typer.Typer) -> None:
    for command in (up, demo, api, worker, migrate, gc):
        app.command(rich_help_panel="Machine")(command)


def up() -> None:
    """Run everything on this machine until Ctrl-C: broker, API and worker."""
    from app.cli.supervisor import serve
    from app.settings import Settings

    serve(Settings(), _say)


def demo() -> None:
    """Run the example job in a temporary folder, show the evidence and some predictions."""
    from app.cli.demo import run

    raise typer.Exit(run())


def api() -> None:
    """Run the API alone. Its database must be migrated (`ktl migrate`)."""
    from app.cli.preconditions import close_data_folder, require_key, require_schema
    from app.settings import Settings

    settings = Settings()
    close_data_folder(settings)
    require_schema(settings)
    require_key(settings)

    from app.server import run

    run(settings)


def worker() -> None:
    """Run a worker alone. Its database must be migrated (`ktl migrate`)."""
    from app.cli.preconditions import close_data_folder, require_schema
    from app.settings import Settings

    close_data_folder(Settings())
    require_schema(Settings())
    os.execv(sys.executable, [sys.executable, "-m", "worker"])  # noqa: S606  no shell is wanted


def migrate() -> None:
    """Bring the database's schema to the newest version, then end."""
    from app.cli.preconditions import bring_schema, close_data_folder
    from app.settings import Settings

    close_data_folder(Settings())
    bring_schema(Settings())
    _say("the schema is at its newest version")


def _say(line: str) -> None:
    typer.echo(f"ktl: {line}")
