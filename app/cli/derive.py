"""`ktl datasets derive …`"""

import json
from typing import Annotated, Any

import typer

from app.cli.options import AsJson

Origin = Annotated[
    str, typer.Argument(help="A dataset's name, ds_… or catalog:NAME.", show_default=False)
]


def derive(
    origin: Origin,
    name: Annotated[str | None, typer.Option(help="Else what is chosen.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=VALUE",
            help="Rows that have the value. Again: one of several values of a column, or also "
            "another column's.",
        ),
    ] = None,
    classes: Annotated[
        list[str] | None, typer.Option("--class", metavar="NAME", help="Again for each class.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="NAME", help="One that stays; again for each."),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(help="So many training items, drawn by class.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    wait: Annotated[bool, typer.Option(help="Stay until it is ready.")] = True,
    as_json: AsJson = False,
) -> None:
    """Make a dataset of rows, classes or columns of another, without an upload."""
    from app.cli.datasets import print_dataset
    from app.client import Client

    choice: dict[str, Any] = {
        "where": conditions(where or []),
        "classes": classes,
        "columns": columns,
        "rows": rows,
    }
    choice = {member: said for member, said in choice.items() if said}
    if not choice:
        raise typer.BadParameter("expected one of --where, --class, --column and --rows")
    if seed:
        choice["seed"] = seed
    said = [*(where or []), *(classes or []), *(columns or []), *([f"{rows} rows"] if rows else [])]
    with Client() as client:
        dataset = client.datasets.derive(origin, name or ", ".join(said)[:200], **choice)
        if wait:
            dataset = client.datasets.wait(dataset.id)
    print_dataset(dataset, as_json)
    raise typer.Exit(dataset.status == "failed")


def conditions(said: list[str]) -> dict[str, list[Any]]:
    """Values by column, of `age=63` and so on: numbers, true, false and null as JSON has them,
    anything else as text."""
    found: dict[str, list[Any]] = {}
    for condition in said:
        column, sign, value = condition.partition("=")
        if not sign or not column:
            raise typer.BadParameter(f"expected COLUMN=VALUE in --where, got {condition}")
        found.setdefault(column, []).append(_value(value))
    return found


def _value(text: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text
    return text if isinstance(value, list | dict) else value


def _no_number(text: str) -> None:
    """NaN and Infinity are text: JSON has no such numbers."""
    raise ValueError(text)
