"""A search's candidates in words."""

from collections.abc import Mapping
from typing import Any

from app.spec.training import Augmentation

SETTINGS = ("imbalance", "learning_rate", "weight_decay", "epochs")


def chosen(entry: Mapping[str, Any]) -> str:
    """`lp_ft, learning rate 0.003`, of report.Search.chosen."""
    strategy = entry.get("strategy")
    name = strategy["name"] if strategy else "the baseline"
    return ", ".join([name, *_settings(entry)])


def tried(entry: Mapping[str, Any]) -> str:
    """`learning rate 0.003, backbone rate 0.1`, of one of report.Search.tried."""
    params = dict(sorted(entry["params"].items()))  # a database keeps keys in its own order
    parts = [*_settings(entry), *_named(params)]
    return ", ".join(parts) or "as the job says"


def scores(entry: Mapping[str, float | None]) -> str:
    """`knn 0.62, leep -1.31`, of report.Search.scores."""
    return ", ".join(_named(dict(sorted(entry.items()))))


def _settings(entry: Mapping[str, Any]) -> list[str]:
    found = _named({name: entry.get(name) for name in SETTINGS})
    how = entry.get("augmentation")
    if how:
        found.append(f"augmentation {Augmentation.model_validate(how).words}")
    return found


def _named(values: Mapping[str, Any]) -> list[str]:
    """Names settings without those that are null: they are as the job says."""
    return [
        f"{name.replace('_', ' ')} {f'{value:.4g}' if isinstance(value, float) else value}"
        for name, value in values.items()
        if value is not None
    ]
