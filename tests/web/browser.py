"""A browser, where there is one, that tells of everything that goes wrong in a page."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe")

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Seen:
    """What a page asked for, and what it complained of."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._console)

    def _console(self, message: Any) -> None:
        # A refused request is told here as well; the pages show it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def violations(self) -> list[str]:
        """What axe-core finds against WCAG in the page as it stands."""
        found = axe.Axe().run(self.page).response["violations"]
        return [f"{each['id']}: {each['nodes'][0]['target']}" for each in found]


@contextmanager
def browser() -> Iterator[Any]:
    program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("needs a browser: chromium, as the distribution has it")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield opened
        finally:
            opened.close()


def keep_screenshot(page: Any, name: str) -> None:
    """Keeps a picture of the page where KTL_SCREENSHOTS names a folder."""
    if folder := os.environ.get("KTL_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        # `initial`: else a style is put into the page, which its policy refuses
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True, caret="initial")
