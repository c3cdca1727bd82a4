"""`ktl models …`: list and show models, and add networks that were trained elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from app.cli.options import AsJson, ModelRef, not_empty
from app.cli.resources import LOOK, LookCommand, ResourceGroup

if TYPE_CHECKING:
    from app.client import Client
    from app.client.ktl.answers import Model
    from app.models.schemas import ModelOut

app = typer.Typer(
    help="List models; show one (`ktl models NAME`); add one trained elsewhere; delete one.",
    cls=ResourceGroup,
)


@app.command(LOOK, hidden=True, cls=LookCommand)
def look(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL", help="Show this one: its name, or mdl_….", callback=not_empty
        ),
    ] = None,
    download: Annotated[
        Path | None, typer.Option(help="Store the model's file here (.onnx or .keras).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List models; or show one, or download it."""
    if model:
        show(model, download, as_json)
        return
    if download:
        raise typer.BadParameter("--download: expected a model before it, got none")
    list_models(as_json)


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List models, newest first."""
    from app.cli import output
    from app.client.ktl import Client

    with Client() as client:
        found = list(client.models.list())
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["name", "from", "temperature", "fitted on", "created", "id"],
        [
            (m.name, _origin(m), *_calibration(m), output.to_the_second(m.created_at), m.id)
            for m in found
        ],
    )


@app.command()
def show(
    model: ModelRef,
    download: Annotated[
        Path | None, typer.Option(help="Store the model's file here (.onnx or .keras).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one model, or download it."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        found = client.models.get(model)
        if download:
            client.models.download(found.id, download, download.suffix.removeprefix("."))
    if as_json:
        output.print_json(found)
        return
    signature = found.signature
    temperature, fitted = _calibration(found)
    output.print_fields(
        {
            "name": found.name,
            "id": found.id,
            "status": found.status,
            "from": _origin(found),
            "takes": signature and signature.inputs.summary,
            "answers": signature and signature.task.kind,
            "temperature": f"{temperature}, {fitted}" if fitted else temperature,
            "serves": ", ".join(found.deployments),
            "files": ", ".join(found.hashes),
            "error": found.error and f"{found.error['code']}: {found.error['message']}",
            "created": f"{found.created_at:%F %T %Z}",
        }
    )


@app.command()
def delete(model: ModelRef, as_json: AsJson = False) -> None:
    """Delete a model that serves no name and that no unfinished job needs."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        client.models.delete(model)
    if as_json:
        output.print_json({"model": model, "deleted": True})


@app.command()
def add(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A .keras file, as Keras 3 saves it, or an .onnx file; an encoder of texts: a "
            "folder of model.onnx, tokenizer.json and encoder.json, or hf:ORG/NAME@REVISION.",
        ),
    ],
    spec: Annotated[
        Path | None, typer.Option(help="A JSON file with all that is said of it.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Else the file's.")] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class", metavar="NAME", help="In the order of the outputs; again for each."
        ),
    ] = None,
    expects: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="LOW HIGH",
            help="What the network was trained on: the values that black and white had before its "
            "first layer.",
        ),
    ] = None,
    shape: Annotated[
        tuple[int, int, int] | None,
        typer.Option(metavar="HEIGHT WIDTH CHANNELS", help="Of a picture; else as the file says."),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(help="Without classes: drop (the last dense layer) or none (there is none)."),
    ] = None,
    prefix: Annotated[
        str, typer.Option(help="Of an encoder of the hub: what stands before each text.")
    ] = "",
    wait: Annotated[bool, typer.Option(help="Stay until it is ready.")] = True,
    as_json: AsJson = False,
) -> None:
    """Add a network that was trained elsewhere, for jobs to start from, or an encoder of texts, for
    jobs to stand on. Nothing in a network is executed; an encoder's graph is tried on its own."""
    from app.cli.table_spec import read_spec
    from app.client import Client

    if file.startswith("hf:") or Path(file).is_dir():
        with Client() as client:
            _end(client, _added_encoder(client, file, name, prefix), wait, as_json)
    path = Path(file)
    if not path.is_file():
        raise typer.BadParameter(f"expected a file, got {file}")
    described: dict[str, Any] = read_spec(spec) if spec else {}
    inputs = {"expects": expects, "shape": shape}
    given = {name: list(each) for name, each in inputs.items() if each is not None}
    if given:
        described["inputs"] = {**described.get("inputs", {}), **given}
    said = {"name": name, "classes": classes or None, "head": head}
    described |= {member: value for member, value in said.items() if value is not None}
    described.setdefault("name", path.stem)
    with Client() as client:
        _end(client, client.models.add(path, **described), wait, as_json)


def _added_encoder(client: "Client", file: str, name: str | None, prefix: str) -> "ModelOut":
    from app.models.encoder_spec import FILES, HubName

    if file.startswith("hf:"):
        try:
            hub = HubName.parse(file)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        return client.models.add_from_hub(file, name or hub.repository, prefix)
    folder = Path(file)
    if missing := [each for each in FILES if not (folder / each).is_file()]:
        raise typer.BadParameter(f"expected {', '.join(missing)} in {folder}, got no such file")
    return client.models.add_encoder(folder, name or folder.resolve().name)


def _end(client: "Client", model: "ModelOut", wait: bool, as_json: bool) -> NoReturn:
    from app.cli import output

    if wait:
        model = client.models.wait(model.id)
    if as_json:
        output.print_json(model)
    else:
        output.print_fields({"name": model.name, "id": model.id, "status": model.status})
        if model.error:
            output.complain(f"{model.error['code']}: {model.error['message']}")
    raise typer.Exit(model.status == "failed")


def _origin(model: "ModelOut | Model") -> str:
    """Names the model's job; of one that was trained elsewhere that, and how far it is."""
    if model.origin == "job":
        return model.job_id or "a job"
    return "imported" if model.status == "ready" else f"imported, {model.status}"


def _calibration(model: "ModelOut | Model") -> tuple[str, str]:
    """Names the model's temperature, and the items that it was fitted on or why it has none."""
    fitted = model.card.get("calibration") or {}
    if fitted.get("temperature") is None:
        return "none", fitted.get("reason") or ""
    return f"{fitted['temperature']:.3g}", f"{fitted['items']} validation items"
