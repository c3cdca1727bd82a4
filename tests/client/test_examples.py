"""The examples in the client's docstrings run, each against a service of its own."""

import doctest
from importlib import import_module

import pytest

from app.client.ktl import Client

MODULES = [
    "answer",
    "_sync.client",
    "_sync.datasets",
    "_sync.jobs",
    "_sync.serving",
    "_sync.keys",
]


def examples(module: str) -> list[doctest.DocTest]:
    named = import_module(f"app.client.ktl.{module}")
    return [each for each in doctest.DocTestFinder().find(named, module) if each.examples]


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module, api):
    found = examples(module)
    assert found
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    with Client(api.url, api_key="") as client:
        for each in found:
            each.globs["client"] = client
            said: list[str] = []
            assert runner.run(each, out=said.append).failed == 0, "".join(said)


def test_the_first_example_runs(monkeypatch):
    """`ktl` is this package under the name that it is installed by."""
    package = import_module("app.client.ktl")
    monkeypatch.setitem(__import__("sys").modules, "ktl", package)
    for name in ("KTL_URL", "KTL_HOST", "KTL_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert doctest.testmod(package).attempted == 2
    assert doctest.testmod(package).failed == 0
