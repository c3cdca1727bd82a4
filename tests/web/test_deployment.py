"""A deployment's page: what it is asked, live, and a new model on a share of it."""

from pathlib import Path

import numpy as np
import pytest

from tests.prediction.site import SHAPE, site_on_sqlite
from tests.web.browser import Seen, browser, keep_screenshot

pytestmark = pytest.mark.slow
BRIGHT = np.full((1, *SHAPE), 255).tolist()


def test_a_new_model_is_tried_watched_and_promoted(tmp_path: Path) -> None:
    with site_on_sqlite(tmp_path) as site, browser() as opened:
        cat, dog = site.add_model(0), site.add_model(1)
        site.deploy("pets", cat)
        page = opened.new_page()
        seen = Seen(page)
        page.goto(f"{str(site.client.base_url).rstrip('/')}/#/deployments/pets")
        page.get_by_label("model", exact=True).select_option(dog)
        page.get_by_role("button", name="Try it", exact=True).last.click()
        page.wait_for_selector("text=Of each 100 requests 10")
        for _ in range(120):
            site.client.post("/v1/deployments/pets/predict", json={"inputs": BRIGHT})
        page.wait_for_selector("text=108")  # the current model's share, some seconds later
        keep_screenshot(page, "traffic")
        assert seen.violations() == []
        page.get_by_role("button", name="Serve it from now on").click()
        page.wait_for_selector("text=Requests of each 100")
        assert site.client.get("/v1/deployments/pets").json()["version"] == 2
        assert seen.complaints == []
