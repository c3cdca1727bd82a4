"""Options that many commands share. Light: `ktl --help` imports it."""

from typing import Annotated

import typer

from app.cli.completion import names_of

DatasetRef = Annotated[
    str,
    typer.Argument(
        metavar="DATASET",
        help="Its name, or ds_….",
        show_default=False,
        autocompletion=names_of("datasets"),
    ),
]
JobRef = Annotated[
    str,
    typer.Argument(
        metavar="JOB",
        help="Its name, or job_….",
        show_default=False,
        autocompletion=names_of("jobs"),
    ),
]
ModelRef = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="Its name, or mdl_….",
        show_default=False,
        autocompletion=names_of("models"),
    ),
]
DeploymentName = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A deployment.",
        show_default=False,
        autocompletion=names_of("deployments"),
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
