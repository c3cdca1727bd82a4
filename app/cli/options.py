"""Options that many commands share. Light: `ktl --help` imports it."""

from typing import Annotated, Any

import typer

from app.cli.completion import Kind, names_of


def not_empty(said: str | None) -> str | None:
    """Refuses what a script's empty variable leaves of a name. Raises BadParameter."""
    if said is not None and not said.strip():
        raise typer.BadParameter("expected a name or an id, got an empty one")
    return said


def _named(kind: Kind, metavar: str, help_text: str) -> Any:
    """An argument that a shell completes with the names of that kind."""
    return typer.Argument(
        metavar=metavar,
        help=help_text,
        show_default=False,
        autocompletion=names_of(kind),
        callback=not_empty,
    )


DatasetRef = Annotated[str, _named("datasets", "DATASET", "Its name, or ds_….")]
JobRef = Annotated[str, _named("jobs", "JOB", "Its name, or job_….")]
ModelRef = Annotated[str, _named("models", "MODEL", "Its name, or mdl_….")]
DeploymentName = Annotated[str, _named("deployments", "NAME", "A deployment.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
