"""The Python client, from its docstrings."""

import inspect
import re
from typing import Any

from app.client.ktl._sync.client import Client
from app.client.ktl._sync.datasets import Datasets
from app.client.ktl._sync.jobs import Jobs
from app.client.ktl._sync.keys import Keys
from app.client.ktl._sync.serving import Deployments, Models

INTRODUCTION = """# The Python client

`pip install ktl` brings it and little else; `from ktl import Client`. `AsyncClient` has the same
methods, to be awaited (lists and events: `async for`). An answer is a dict whose members are
attributes too: `job.status` is `job["status"]`. What the members are is said in [the API's
objects](api.md#objects), and by your editor. A refusal is an `ApiError`, with `status`, `code`,
`detail` and `errors`; no answer is `Unreachable`.

"""
PARTS: dict[str, type] = {
    "Client()": Client,
    "client.datasets": Datasets,
    "client.jobs": Jobs,
    "client.models": Models,
    "client.deployments": Deployments,
    "client.keys": Keys,
}


def page() -> str:
    text = INTRODUCTION
    for name, kind in PARTS.items():
        text += f"## {name}\n\n{_said(kind)}\n\n"
        for word, method in vars(kind).items():
            if not word.startswith("_"):
                text += f"### {name.removesuffix('()').lower()}.{word}\n\n"
                text += f"```python\n{_signature(word, method)}\n```\n\n{_said(method)}\n\n"
    return text


def _signature(word: str, method: Any) -> str:
    signature = inspect.signature(method)
    shown = [each for name, each in signature.parameters.items() if name != "self"]
    return f"{word}{signature.replace(parameters=shown)}".replace("'", "").replace("answers.", "")


def _said(documented: Any) -> str:
    """Prose as it is, examples as blocks of code."""
    said = inspect.getdoc(documented) or ""
    return re.sub(
        r"(?:^>>>.*\n?(?:^(?!\n).+\n?)*)",
        lambda m: f"```pycon\n{m[0].rstrip()}\n```",
        said,
        flags=re.M,
    )
