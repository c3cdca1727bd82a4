"""Pages of docs/ and what stands in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.S | re.M)


def blocks(page: Path, language: str) -> list[str]:
    """Code of one language, in the order of the page."""
    return [
        code for word, code in BLOCK.findall(page.read_text(encoding="utf-8")) if word == language
    ]
