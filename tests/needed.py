"""Packages without which a test cannot say anything."""

import os
import warnings
from importlib import import_module
from typing import Any

import pytest


def needed(module: str) -> Any:
    """The module. A test of a machine that lacks it is skipped; in CI, where nobody would see that,
    it fails. What the package warns of while it loads is its own affair, in CI as elsewhere."""
    if not os.environ.get("CI"):
        return pytest.importorskip(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(module)
