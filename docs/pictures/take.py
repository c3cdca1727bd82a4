"""The README's pictures, taken anew of this release: `python -m docs.pictures.take` (needs the
extra `dev` and a Chromium on the PATH; two minutes).

The service runs on loopback in a temporary folder; the job is `examples/digits.json`.
"""

import tempfile
from pathlib import Path

from PIL import Image

from app.spec.spec import EXAMPLE
from tests.system.service import running
from tests.web.browser import browser

HERE = Path(__file__).parent
COLOURS = 128
WIDTH, HEIGHT = 1180, 860  # CSS pixels


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder, running(Path(folder)) as service:
        job = service.client.jobs.wait(service.client.jobs.submit(EXAMPLE).id)
        with browser() as chromium:
            page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.set_default_timeout(60_000)
            page.goto(f"{service.url}/#/jobs/{job.id}")
            page.locator(".reported h1").wait_for()
            page.screenshot(path=HERE / "job.png")
            report = Path(folder) / "report.html"
            report.write_text(service.client.jobs.report_page(job.id), encoding="utf-8")
            page.goto(report.as_uri())
            page.locator("svg[role=img]").first.scroll_into_view_if_needed()
            page.screenshot(path=HERE / "report.png")
    for path in sorted(HERE.glob("*.png")):
        Image.open(path).convert("RGB").quantize(COLOURS).save(path, optimize=True)
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
