"""Devices and precisions that the trials were computed by."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app.plurals import counted
from worker.evaluation.evidence import TrialResult


def devices_of(trials: Sequence[TrialResult]) -> list[str]:
    """Sentences such as `12 trials on NVIDIA H100 in mixed_bfloat16`, the most trials first."""
    counts = Counter((found["device"], found["precision"]) for found in _known(trials).values())
    return [
        f"{counted(count, 'trial')} on {device} in {precision}"
        for (device, precision), count in counts.most_common()
    ]


def condition_warnings(trials: Sequence[TrialResult]) -> list[str]:
    """A warning per note, with the arms whose trials it is about."""
    about: dict[str, list[TrialResult]] = {}
    for trial, conditions in _known(trials).items():
        for note in conditions["notes"]:
            about.setdefault(note, []).append(trial)
    return [
        f"{_arms(found)} ({counted(len(found), 'trial')}): {note}"
        for note, found in sorted(about.items())
    ]


def _known(trials: Sequence[TrialResult]) -> dict[TrialResult, Mapping[str, Any]]:
    return {trial: trial.conditions for trial in trials if trial.conditions}


def _arms(trials: Sequence[TrialResult]) -> str:
    return ", ".join(sorted({trial.arm for trial in trials}))
