"""A plan in a few lines, or in one for each trial."""

from typing import Any

import pytest

from app.cli import planned
from app.jobs.schemas import PlannedTrialOut, ValidationOut


def plan(**changes: Any) -> ValidationOut:
    """Two pretrainings, and lp_ft with 5 labels per class and with all: 3 seeds each."""
    pretrain = {"role": "pretrain", "arm": "pretrain", "labels_per_class": None}
    transfer = {"role": "transfer", "arm": "lp_ft"}
    trials = [
        *({**pretrain, "seed": seed, "steps": 79, "seconds": 4.0} for seed in range(2)),
        *(
            {**transfer, "labels_per_class": labels, "seed": seed, "steps": steps, "seconds": 20.0}
            for labels, steps in ((5, 500), (None, 1550))
            for seed in range(3)
        ),
    ]
    fields: dict[str, Any] = {
        "spec": {},
        "selection": [{"field": "strategies", "chosen": "lp_ft", "reason": "few labels"}],
        "trials": [PlannedTrialOut.model_validate(trial) for trial in trials],
        "steps": 6308,
        "estimated_seconds": 133.0,
        "estimate_basis": "shipped",
        "domain_distance": [],
        "strategies": [],
        "estimate": {"memory_bytes": 1_234_000_000, "parameters": 56_789},
    }
    return ValidationOut.model_validate({**fields, **changes})


def test_a_row_for_each_role_and_arm(capsys: pytest.CaptureFixture[str]) -> None:
    planned.show(plan())
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "role arm trials labels per class steps each, at most time",
        "pretrain pretrain 2 79 8 s",
        "transfer lp_ft 6 5, all 1,550 2 min 00 s",
        "strategies = lp_ft: few labels",
        "8 trials, at most 6,308 steps",
        "time: about 2 min 13 s, one trial at a time (as on another machine: nothing with this "
        "backbone was trained here yet)",
        "memory: up to 1.2 GB a trial, for 56,789 parameters",
    ]


def test_a_row_for_each_trial(capsys: pytest.CaptureFixture[str]) -> None:
    planned.show(plan(estimate_basis="measured"), each=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 8 + 4
    assert lines[3].split() == ["transfer", "lp_ft", "0", "5", "500", "20", "s"]
    assert lines[-2].endswith("(by what was trained here before)")


def test_warnings_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    planned.show(plan(warnings=["the source is on another scale"]))
    assert "warning: the source is on another scale" in capsys.readouterr().out.splitlines()
