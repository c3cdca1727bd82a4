"""`ktl datasets audit`: labels that are likely wrong."""

from typing import Annotated

import typer

from app.cli.options import AsJson, DatasetRef

SHOWN = 20


def audit(
    dataset_id: DatasetRef,
    most: Annotated[int, typer.Option(min=1, max=1000, help="Show so many suspects.")] = SHOWN,
    features: Annotated[
        str | None,
        typer.Option(
            "--features", help="A model, by name or mdl_…: compare pictures by its features."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look for labels that are likely wrong; nothing is changed."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        found = client.datasets.audit(dataset_id, most, features=features)
    if as_json:
        output.print_json(found)
        raise typer.Exit(found.status == "failed")
    if found.error:
        output.out.print(f"{found.error['code']}: {found.error['message']}", markup=False)
        raise typer.Exit(1)
    output.print_table(
        ["split", "index", "label", "proposed", "score"],
        [(s.split, s.index, s.label, s.proposed, f"{s.score:.2f}") for s in found.data],
    )
    shown = f", the {len(found.data)} likeliest shown" if len(found.data) < found.suspects else ""  # type: ignore[operator]  # known where it succeeded
    output.out.print(f"{found.suspects} of {found.items} labels are suspected{shown}", markup=False)
    if few := [each.label for each in found.classes if not each.is_judged and each.items]:
        said = f"not judged, as they have too few items: {', '.join(few)}"
        output.out.print(said, markup=False)
