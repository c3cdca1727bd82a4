"""A browser that the tests of a file share."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from tests.web.browser import browser  # skips where there is none, which others here need not

    with browser() as opened:
        yield opened
