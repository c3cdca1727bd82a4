"""`ktl submit` and `ktl validate`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.completion import names_of
from app.cli.options import AsJson

JobFile = Annotated[
    Path | None,
    typer.Argument(
        help="A job as JSON; - for standard input; none where --source and --target say it all.",
        show_default=False,
    ),
]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        help="A dataset's name, ds_…, catalog:NAME, or mdl_…; may come again.",
        autocompletion=names_of("datasets"),
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        help="A dataset's name, ds_… or catalog:NAME.",
        autocompletion=names_of("datasets"),
    ),
]
Deploy = Annotated[
    str | None, typer.Option("--deploy", help="Serve the winner under this name, if it is proven.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a member: training.epochs=3, sources.0.dataset=letters"),
]


def register(app: typer.Typer) -> None:
    for command in (submit, validate):
        app.command(rich_help_panel="Jobs")(command)


def submit(
    file: JobFile = None,
    source: Sources = None,
    target: Target = None,
    deploy: Deploy = None,
    settings: Set = None,
    watch: Annotated[bool, typer.Option("--watch", help="Stay until the job has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Submit a job: from a file, or `--source mnist --target letters` and defaults."""
    from app.cli import job_file, output
    from app.cli.jobs import follow
    from app.client import Client

    named = job_file.Named(source or (), target, deploy)
    with Client() as client:
        job = client.jobs.submit(job_file.read(file, settings or (), named))
        if watch:
            follow(client, job.id, as_json)
        elif as_json:
            output.print_json(job)
        else:
            output.out.print(job.id)


def validate(
    file: JobFile = None,
    source: Sources = None,
    target: Target = None,
    deploy: Deploy = None,
    settings: Set = None,
    trials: Annotated[bool, typer.Option("--trials", help="A line for each trial.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a job and show its plan; nothing is started."""
    from app.cli import job_file, output, planned
    from app.client import Client

    named = job_file.Named(source or (), target, deploy)
    with Client() as client:
        plan = client.jobs.validate(job_file.read(file, settings or (), named))
    if as_json:
        output.print_json(plan)
    else:
        planned.show(plan, each=trials)
