"""`ktl keys …`"""

from typing import Annotated

import typer

from app.cli.options import AsJson, not_empty

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="read, write, predict or admin (implies all); may be repeated. Else the first "
            "three."
        ),
    ] = None,
    project: Annotated[str, typer.Option(help="What the key makes belongs to it.")] = "default",
    as_json: AsJson = False,
) -> None:
    """Make a key, in the database that KTL_DATABASE_URL names: no key is needed for the first.

    Once there is a key, the API asks everyone for one.
    """
    from pydantic import ValidationError

    from app.access import repository
    from app.cli import output
    from app.cli.preconditions import close_data_folder, require_schema
    from app.database import Database
    from app.keys.schemas import KeySpec
    from app.settings import Settings

    try:
        spec = KeySpec.model_validate(
            {"name": name, "scopes": scope or ["read", "write", "predict"], "project": project}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise typer.BadParameter(f"{first['loc'][0]}: {first['msg']}") from error
    settings = Settings()
    close_data_folder(settings)
    require_schema(settings)
    database = Database(settings.database)
    with database.write() as session:
        row, key = repository.create(session, spec.name, spec.project, list(spec.scopes))
        made = {"id": row.id, "name": row.name, "project": row.project, "scopes": row.scopes}
    database.dispose()
    if as_json:
        output.print_json({**made, "key": key})
    else:
        output.complain(f"{row.id}; the key is shown here and never again: KTL_API_KEY=")
        typer.echo(key)


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List keys, without their secrets. Needs the scope admin."""
    from app.cli import output
    from app.client.ktl import Client

    with Client() as client:
        found = list(client.keys.list())
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["name", "project", "scopes", "last used", "revoked", "id"],
        [
            (k.name, k.project, " ".join(k.scopes), k.last_used_at, k.revoked_at, k.id)
            for k in found
        ],
    )


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(help="key_…", show_default=False, callback=not_empty)],
    as_json: AsJson = False,
) -> None:
    """Revoke a key. Needs the scope admin."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        client.keys.revoke(key_id)
    if as_json:
        output.print_json({"id": key_id, "revoked": True})
