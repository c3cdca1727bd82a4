"""Writes what is made from the program: the client's types and its half without `await`, and the
pages of docs/reference. `python -m docs.generate` writes, `--check` says what is stale.

A test runs the check, so that a change of the API, a command, a strategy or a setting comes with
its pages.
"""

import sys
from pathlib import Path

from docs.generate import client

ROOT = Path(__file__).parents[2]


def pages(root: Path) -> dict[Path, str]:
    """The pages of the reference, by their file."""
    from docs.generate import reference  # it reads the client, which has to be made by then

    return reference.files(root)


MADE = (client.files, pages)


def stale() -> list[Path]:
    return [
        path
        for files in MADE
        for path, text in files(ROOT).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


if __name__ == "__main__":
    if "--check" in sys.argv:
        found = [str(path.relative_to(ROOT)) for path in stale()]
        sys.exit(f"stale, run `make generated`: {', '.join(found)}" if found else 0)
    for files in MADE:
        for path, text in files(ROOT).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))
