"""Configs of which any part is junk: nothing but a refusal by name comes of it."""

import json
import random
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from app.errors import FailureCode, WorkFailure
from tests.importing.archives import CONFIG, nested, saved
from tests.importing.refusals import SECRET
from worker.importing.keras_config import declared_input, read_config

JUNK = (None, True, -1, 0, 1, 7, 1e308, "", SECRET, [], {}, [[]], [None, 3], {"config": {}}, ["a"])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of every object and list."""
    for key, each in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(each, dict | list):
            yield from _places(each)


def _reading(config: Any) -> WorkFailure | None:
    try:
        declared_input(config)
        read_config(config, (12, 12, 3))
    except WorkFailure as failure:
        return failure
    return None


def test_a_config_of_which_any_part_is_junk(tmp_path: Path) -> None:
    """Nothing but a refusal by name comes of it, whatever stands wherever."""
    file = saved(nested(), tmp_path / "nested.keras")
    with zipfile.ZipFile(file) as archive:
        written = archive.read(CONFIG)
    places = len(list(_places(json.loads(written))))
    rng = random.Random(0)
    reasons = set()
    for place in range(places):
        config = json.loads(written)
        holder, key = next(islice(_places(config), place, None))
        holder[key] = rng.choice(JUNK)
        if (failure := _reading(config)) is not None:
            assert failure.code is FailureCode.MODEL_INVALID
            assert SECRET not in json.dumps(failure.as_json())
            reasons.add(failure.reason)
    assert {"unknown_layer", "invalid_config", "invalid_option", "unknown_option"} <= reasons
