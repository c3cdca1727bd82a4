"""Ways to transfer and networks, from the catalogues that GET /v1/strategies answers."""

from typing import Any

from app.spec.backbones import CATALOGUE as BACKBONES
from app.spec.strategy_catalogue import CATALOGUE
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
        text += f"Needs {', '.join(f'`{need}`' for need in entry.needs)}.\n\n"
        if entry.paper:
            text += f"Paper: {markdown.cell(entry.paper)}\n\n"
        if rows := [_row(*each) for each in entry.params_schema.get("properties", {}).items()]:
            text += markdown.table(["parameter", "type", "default", ""], rows) + "\n"
    text += "## Networks\n\nWhat a job's `model.backbone` may name.\n\n"
    text += markdown.table(
        ["name", "for", ""],
        [(f"`{each.name}`", each.modality or "any", each.summary) for each in BACKBONES.values()],
    )
    return text


def _row(name: str, schema: dict[str, Any]) -> tuple[str, str, str, str]:
    default = schema.get("default")
    shown = "" if default is None else f"`{default}`"
    return f"`{name}`", markdown.kind(schema), shown, str(schema.get("description", ""))
