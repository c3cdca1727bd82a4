"""Ways to transfer and networks, from the catalogues that GET /v1/strategies answers."""

from typing import Any

from app.spec.backbones import CATALOGUE as BACKBONES
from app.spec.strategy_catalogue import CATALOGUE, NEEDS, Need
from docs.generate import markdown

INTRODUCTION = """# Strategies

Ways to transfer that a job's `strategies` may name, each alone (`"lp_ft"`) or with parameters
(`{"name": "lp_ft", "params": {…}}`). `auto` picks by the facts of the data. `POST
/v1/jobs/validate` says which of them can run between your domains, and why the others cannot.

"""


def page() -> str:
    text = INTRODUCTION
    for entry in CATALOGUE.values():
        text += f"## {entry.name}\n\n{markdown.cell(entry.summary)}\n\n"
        text += f"Needs {_named(entry.needs)}.\n\n"
        if entry.beside_labels:
            text += (
                "Beside labelled target items it learns from others without a label too; then it "
                f"needs {_named(entry.beside_labels)}.\n\n"
            )
        if entry.paper:
            text += f"Paper: {markdown.cell(entry.paper)}\n\n"
        if rows := [_row(*each) for each in entry.params_schema.get("properties", {}).items()]:
            text += markdown.table(["parameter", "type", "default", ""], rows) + "\n"
    text += "## What they need\n\n"
    text += markdown.table(["word", ""], [(f"`{need}`", said) for need, said in NEEDS.items()])
    text += "\n## Networks\n\nWhat a job's `model.backbone` may name.\n\n"
    text += markdown.table(
        ["name", "for", ""],
        [(f"`{each.name}`", each.modality or "any", each.summary) for each in BACKBONES.values()],
    )
    return text


def _named(needs: tuple[Need, ...]) -> str:
    return ", ".join(f"`{need}`" for need in needs)


def _row(name: str, schema: dict[str, Any]) -> tuple[str, str, str, str]:
    default = schema.get("default")
    shown = "" if default is None else f"`{default}`"
    return f"`{name}`", markdown.kind(schema), shown, str(schema.get("description", ""))
