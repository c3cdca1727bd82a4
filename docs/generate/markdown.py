"""Words as Markdown can have them."""

import re
from collections.abc import Iterable, Sequence


def cell(text: object) -> str:
    """One line, in which nothing is markup of a table."""
    return prose(re.sub(r"\s+", " ", str(text)).replace("|", "\\|"))


def prose(text: str) -> str:
    """Paragraphs, lists and tables as they are, in which nothing is a tag."""
    return text.replace("<", "&lt;").strip()


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *([*map(cell, row)] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def kind(schema: dict[str, object]) -> str:
    """What a JSON schema asks for, in a few words; references are links to their heading."""
    match schema:
        case {"$ref": str(place)}:
            name = place.rpartition("/")[2]
            listed = name.removeprefix("Listing_").rstrip("_")
            page = "page of " if listed != name else ""
            said = f"{page}[{listed}](#{anchor(listed)})"
        case {"anyOf": list(options)} | {"oneOf": list(options)}:
            said = " or ".join(dict.fromkeys(map(kind, options)))
        case {"const": value}:
            said = f"`{value}`"
        case {"enum": list(values)}:
            said = ", ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": dict(items)}:
            said = f"list of {kind(items)}"
        case {"type": "object", "additionalProperties": dict(items)}:
            said = f"object of {kind(items)}"
        case _:
            said = str(schema.get("type", "anything"))
    return said


def anchor(name: str) -> str:
    """The anchor that a heading of this name gets."""
    return re.sub(r"[^\w\s-]", "", name.lower()).strip().replace(" ", "-")
