"""What is thought of candidates before anything is measured."""

import pytest

from tests.search.arms import candidates
from worker.search.prior import KEPT, PLACE, SPREAD, Prior

FIRST, SECOND = candidates("distill", "lp_ft")


def test_what_keeps_the_sources_answers_has_a_start_of_rows_and_texts_alone() -> None:
    for modality, ahead in (("table", KEPT + PLACE), ("text", KEPT + PLACE), ("image", PLACE)):
        prior = Prior.of([FIRST, SECOND], modality)
        assert prior.worth(FIRST) - prior.worth(SECOND) == pytest.approx(ahead)


def test_a_measurement_as_sure_as_the_prior_weighs_half() -> None:
    prior = Prior.of([FIRST, SECOND], "table")
    found = prior.expected(FIRST, SECOND, ahead=0.04, error=SPREAD, items=40)
    assert found == pytest.approx(-0.5 * 0.04 + 0.5 * (KEPT + PLACE))
