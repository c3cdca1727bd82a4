"""`ktl usage`: what the key's project holds, and may hold."""

import typer

from app.cli.options import AsJson


def register(app: typer.Typer) -> None:
    app.command(rich_help_panel="Operation")(usage)


def usage(as_json: AsJson = False) -> None:
    """Show what the project holds, by kind, what it may hold, and how full the disk is."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        found = client.usage()
    if as_json:
        output.print_json(found)
        return
    held = [
        (f"bytes of {kind}", f"{size:,}", None) for kind, size in found.bytes if kind != "total"
    ]
    limits = found.limits
    output.print_table(
        [f"in project {found.project}", "now", "at most"],
        [
            *held,
            ("bytes", f"{found.bytes.total:,}", _limit(limits.bytes)),
            ("datasets", found.datasets, _limit(limits.datasets)),
            ("running trials", found.running_trials, _limit(limits.running_trials)),
            ("jobs", found.jobs, None),
        ],
    )
    if disk := found.disk:
        output.out.print(
            f"the store's disk has {disk.free_bytes:,} of {disk.total_bytes:,} bytes free"
        )


def _limit(limit: int | None) -> str:
    return "any number" if limit is None else f"{limit:,}"
