"""Options that many commands share. Light: `ktl --help` imports it."""

from typing import Annotated, Any

import typer

from app.cli.completion import Kind, names_of


def _named(kind: Kind, metavar: str, help_text: str) -> Any:
    """An argument that a shell completes with the names of that kind."""
    return typer.Argument(
        metavar=metavar, help=help_text, show_default=False, autocompletion=names_of(kind)
    )


DatasetRef = Annotated[str, _named("datasets", "DATASET", "Its name, or ds_….")]
JobRef = Annotated[str, _named("jobs", "JOB", "Its name, or job_….")]
ModelRef = Annotated[str, _named("models", "MODEL", "Its name, or mdl_….")]
DeploymentName = Annotated[str, _named("deployments", "NAME", "A deployment.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
