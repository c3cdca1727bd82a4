"""What a report says of itself."""

import pytest

from app.spec.figures import Reference
from app.spec.report import Report, Verdict
from tests.jobs.page.examples import report


def corrected(
    p_value: float | None, p_holm: float | None, verdict: Verdict = "positive_transfer"
) -> Report:
    made = report(verdict=verdict)
    gain = made.arms["lp_ft"].gain
    assert gain is not None
    changed = gain.model_copy(update={"p_value": p_value, "p_holm": p_holm})
    arms = {**made.arms, "lp_ft": made.arms["lp_ft"].model_copy(update={"gain": changed})}
    return made.model_copy(update={"arms": arms})


@pytest.mark.parametrize("verdict", ["positive_transfer", "negative_transfer"])
def test_a_corrected_p_value_that_is_not_small_is_explained(verdict: Verdict) -> None:
    assert corrected(0.031, 0.23, verdict).correction_note == (
        "The verdict speaks of lp_ft alone, which was chosen before the test set was read: its p "
        "is 0.031. p (Holm), 0.23, is corrected for all the arms that were compared with the "
        "baseline, as if the test set had chosen among them."
    )


def test_where_the_corrected_p_value_says_the_same_there_is_nothing_to_explain() -> None:
    assert corrected(0.01, 0.05).correction_note is None
    assert corrected(0.01, 0.23, "no_evidence").correction_note is None
    assert corrected(None, None).correction_note is None
    assert report(baseline=False).correction_note is None
    assert report(winner=None, verdict="no_evidence").correction_note is None


def test_what_is_proven_beats_the_baseline_and_chance() -> None:
    def proven(verdict: Verdict, not_above: list[str] | None) -> bool:
        reference = not_above is not None and Reference(
            chance=0.5, majority_class="a", majority={}, is_unequal=False, not_above=not_above
        )
        return report(verdict=verdict, reference=reference or None).is_proven

    assert proven("positive_transfer", ["scratch"])
    assert not proven("positive_transfer", ["lp_ft"])
    assert proven("positive_transfer", None)  # of an older release
    assert not proven("no_evidence", [])
    assert not proven("negative_transfer", [])
