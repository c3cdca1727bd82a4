"""Pages of docs/reference: what the program says of itself."""

from pathlib import Path

from docs.generate import api, cli, python, settings, strategies

MADE = "<!-- Made by docs/generate; changes belong into the program. -->\n\n"


def files(root: Path) -> dict[Path, str]:
    """The pages, as they ought to be."""
    pages = {
        "api.md": api.page(),
        "cli.md": cli.page(),
        "client.md": python.page(),
        "settings.md": settings.page(),
        "strategies.md": strategies.page(),
    }
    folder = root / "docs" / "reference"
    return {folder / name: MADE + text for name, text in pages.items()}
