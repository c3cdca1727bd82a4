"""Jobs written shorter than a job is: what to send instead, with the names that were sent."""

import json
from collections.abc import Mapping
from typing import Any

LONGEST_NAME = 80
SEVERAL = (
    "expected one `target`, got several: a job has one target; send one job for each of them, with "
    "the same `sources`"
)


def refuse_short_form(data: Any) -> None:
    """Raises ValueError for `{"source": "digits", "target": "letters"}` and its like, and for
    several targets."""
    if not isinstance(data, Mapping):
        return
    target = data.get("target")
    named = target.get("dataset") if isinstance(target, Mapping) else target
    if isinstance(data.get("targets"), list) or isinstance(named, list):
        raise ValueError(SEVERAL)
    given = data.get("sources", data.get("source"))
    sources = given if isinstance(given, list) else [given]
    is_short = "source" in data or isinstance(target, str)
    if not is_short and not any(isinstance(each, str) for each in sources):
        return
    instead = {
        "sources": [_source(each) for each in sources],
        "target": target if isinstance(target, Mapping) else {"dataset": _name(target, "TARGET")},
    }
    raise ValueError(
        "expected `sources`, an array of objects, and `target`, an object, got a shorter form; "
        f"send {_shown(instead)}"
    )


def _source(given: Any) -> Any:
    if isinstance(given, Mapping):
        return given
    name = _name(given, "SOURCE")
    return {"model" if name.startswith("mdl_") else "dataset": name}


def _name(given: Any, otherwise: str) -> str:
    return given if isinstance(given, str) and len(given) <= LONGEST_NAME else otherwise


def _shown(instead: Mapping[str, Any]) -> str:
    """The members as JSON; only their form where what was sent is large."""
    text = json.dumps(instead, ensure_ascii=False)
    form = '"sources": [{"dataset": "SOURCE"}], "target": {"dataset": "TARGET"}'
    return text[1:-1] if len(text) <= 5 * LONGEST_NAME else form
