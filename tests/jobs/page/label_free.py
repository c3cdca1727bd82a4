"""Reports of jobs without target labels, made by hand."""

from typing import Any

from app.spec.report import LabelFreeChoice, Report
from tests.jobs.page.examples import interval, report


def label_free(**changes: Any) -> Report:
    """dann is chosen, though cdan would have been better; target_supervised is the bound."""
    arms = report(curve=False).arms
    bound = {"gain": None, "transfer_ratio": None, "jumpstart": None, "calibration": None}
    named = {
        "source_only": arms["scratch"],
        "dann": arms["fine_tune"],
        "cdan": arms["lp_ft"],
        "target_supervised": arms["scratch"].model_copy(update=bound),
    }
    fields: dict[str, Any] = {
        "labels_per_class": None,
        "labels": 0,
        "baseline": "source_only",
        "winner": "dann",
        "winner_seed": 2,
        "arms": named,
        "learning_curve": [],
        "multiplicity": "2 arms were compared with source_only",
        "reason": "dann beats source_only by 0.0530 accuracy",
        "label_free": LabelFreeChoice(
            rule="invariant_information",
            scores={"cdan": interval(1.9, 0.1, 5), "dann": interval(2.1, 0.1, 5)},
            chosen="dann",
            chosen_seed=2,
            oracle="cdan",
            oracle_metric=interval(0.662, 0.016, 5),
            regret=0.061,
        ),
    }
    return report(curve=False).model_copy(update=fields | changes)


def unmeasured() -> Report:
    """Without target labels, and without the test's: nothing but the choice is known."""
    choice = label_free().label_free
    unknown = {"oracle": None, "oracle_metric": None, "regret": None}
    return label_free(
        verdict="no_evidence",
        baseline=None,
        arms={},
        test_items=0,
        label_free=choice.model_copy(update=unknown) if choice else None,
    )
