"""Packages without which a test cannot say anything."""

import os
from importlib import import_module
from typing import Any

import pytest


def needed(module: str) -> Any:
    """The module. A test of a machine that lacks it is skipped; in CI, where nobody would see that,
    it fails."""
    return import_module(module) if os.environ.get("CI") else pytest.importorskip(module)
