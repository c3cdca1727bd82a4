"""Writes what is made from the program: the client's types and its half without `await`, and the
pages of docs/reference. `python -m docs.generate` writes, `--check` says what is stale.

A test runs the check, so that a change of the API, a command, a strategy or a setting comes with
its pages.
"""

import sys
from pathlib import Path

from docs.generate import client, reference

ROOT = Path(__file__).parents[2]


def made() -> dict[Path, str]:
    """Everything that is generated, by its file."""
    return client.files(ROOT) | reference.files(ROOT)


def stale() -> list[Path]:
    return [
        path
        for path, text in made().items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


if __name__ == "__main__":
    if "--check" in sys.argv:
        found = [str(path.relative_to(ROOT)) for path in stale()]
        sys.exit(f"stale, run `make generated`: {', '.join(found)}" if found else 0)
    for path, text in made().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
