"""`ktl deployments …`: the names that serve models."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import AsJson, DeploymentName, ModelRef, not_empty
from app.cli.resources import LOOK, LookCommand, ResourceGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.deployments.schemas import DeploymentOut

app = typer.Typer(
    help="List deployments; show one (`ktl deployments NAME`); watch, point, roll back or delete "
    "one.",
    cls=ResourceGroup,
)


@app.command(LOOK, hidden=True, cls=LookCommand)
def look(
    name: Annotated[str | None, typer.Argument(help="Show this one.", callback=not_empty)] = None,
    as_json: AsJson = False,
) -> None:
    """List deployments; or show one."""
    if name:
        show(name, as_json)
    else:
        list_deployments(as_json)


@app.command("list")
def list_deployments(as_json: AsJson = False) -> None:
    """List deployments, newest first."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        found = list(client.deployments.list())
    if as_json:
        output.print_json(found)
    else:
        _print_table(found)


@app.command()
def show(name: DeploymentName, as_json: AsJson = False) -> None:
    """Show one deployment, with the models that it had before in its JSON."""
    from app.client import Client

    with Client() as client:
        _print(client.deployments.get(name), as_json)


@app.command()
def point(name: DeploymentName, model: ModelRef, as_json: AsJson = False) -> None:
    """Serve a model under the name; the name is made, or switched without a failed request."""
    from app.client import Client

    with Client() as client:
        _print(client.deployments.point(name, model), as_json)


@app.command()
def traffic(name: DeploymentName, as_json: AsJson = False) -> None:
    """Show what it was asked lately, and whether its answers are still such as its model is known
    by."""
    from app.cli import output
    from app.cli.traffic import print_traffic
    from app.client import Client

    with Client() as client:
        found = client.deployments.traffic(name)
    if as_json:
        output.print_json(found)
    else:
        print_traffic(found)


@app.command()
def canary(
    name: DeploymentName,
    model: ModelRef,
    percent: Annotated[int, typer.Option(help="Requests of each 100, 1 to 99.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Try a model on a share of the requests; `traffic` shows it beside the current one."""
    from app.client import Client

    with Client() as client:
        _print(client.deployments.canary(name, model, percent), as_json)


@app.command()
def promote(name: DeploymentName, as_json: AsJson = False) -> None:
    """Serve the canary under the name from now on."""
    from app.client import Client

    with Client() as client:
        _print(client.deployments.promote(name), as_json)


@app.command("drop-canary")
def drop_canary(name: DeploymentName, as_json: AsJson = False) -> None:
    """Send all requests to the current model again."""
    from app.client import Client

    with Client() as client:
        client.deployments.drop_canary(name)
        _print(client.deployments.get(name), as_json)


@app.command()
def rollback(name: DeploymentName, as_json: AsJson = False) -> None:
    """Serve the model before again."""
    from app.client import Client

    with Client() as client:
        _print(client.deployments.rollback(name), as_json)


@app.command()
def delete(name: DeploymentName, as_json: AsJson = False) -> None:
    """Serve the name no more; the model stays."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        client.deployments.delete(name)
    if as_json:
        output.print_json({"name": name, "deleted": True})


def _print(deployment: "DeploymentOut", as_json: bool) -> None:
    from app.cli import output

    if as_json:
        output.print_json(deployment)
    else:
        _print_table([deployment])


def _print_table(found: "Sequence[DeploymentOut]") -> None:
    from app.cli import output

    output.print_table(
        ["name", "model", "version", "status", "canary", "model id"],
        [(d.name, d.model_name, d.version, d.status, _tried(d), d.model) for d in found],
    )


def _tried(deployment: "DeploymentOut") -> str:
    tried = deployment.canary
    if tried is None:
        return "-"
    state = "" if tried.status == "ready" else f" ({tried.status})"
    return f"{tried.model_name} {tried.percent} %{state}"
