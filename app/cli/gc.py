"""`ktl gc`: free what nobody needs."""

from typing import Annotated

import typer

from app.cli.options import AsJson

SHOWN = 10


def gc(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be freed, and free nothing.")
    ] = False,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt",
            help="The store's files are this database's alone, whoever has registered in it.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Free what nobody needs: files of deleted datasets, jobs and models, stale copies, folders of
    killed processes.

    Needs the machine's own settings, no API. Files younger than KTL_GC_GRACE_SECONDS stay. An API
    does the same by itself, every KTL_GC_INTERVAL_SECONDS.
    """
    from app.cli import output
    from app.cli.preconditions import CannotStart, close_data_folder, require_schema
    from app.database import Database
    from app.errors import WorkFailure
    from app.settings import Settings
    from app.usage.sweep import ForeignStore, sweep

    settings = Settings()
    close_data_folder(settings)
    require_schema(settings)
    database = Database(settings.database)
    try:
        freed = sweep(database, settings, is_dry=dry_run, adopts=adopt)
    except (ForeignStore, WorkFailure) as error:
        raise CannotStart(str(error)) from error
    finally:
        database.dispose()
    if as_json:
        output.print_json(
            {
                "dry_run": dry_run,
                "bytes": freed.bytes,
                "files": [stored.ref for stored in freed.files],
                "copies": [stored.ref for stored in freed.copies],
                "folders": [str(folder) for folder in freed.folders],
                "rows": freed.rows,
            }
        )
        return
    verb = "would free" if dry_run else "freed"
    for stored in freed.files[:SHOWN]:
        typer.echo(f"{stored.bytes:>15,} {stored.ref}")
    if len(freed.files) > SHOWN:
        typer.echo(f"{'…':>15} and {len(freed.files) - SHOWN} more")
    typer.echo(
        f"{verb} {freed.bytes:,} bytes: {len(freed.files)} files of the store, {len(freed.copies)} "
        f"local copies, {len(freed.folders)} folders of killed processes, {freed.rows} deleted rows"
    )
