"""What is lost without a part of items, against values worked out by hand."""

from typing import Any

import numpy as np

from app.spec.spec import ResolvedSpec
from app.tasks.classification import Classification
from worker.evaluation.evidence import TrialResult, gather
from worker.evaluation.measures import measures_of
from worker.evaluation.parts_of_items import parts_of

TASK = Classification(classes=("a", "b"))
Y = np.array([0, 1, 0, 1], np.int32)
SURE = np.where(np.eye(2)[Y] > 0, 5.0, 0.0)


def wrong(*places: int) -> np.ndarray:
    """Outputs that miss these items."""
    logits = SURE.copy()
    logits[list(places)] = logits[list(places)][:, ::-1]
    return logits


def trial(seed: int, **changed: Any) -> TrialResult:
    held: dict[str, Any] = {
        "y_test": Y,
        "logits_test": SURE,
        "part_names": np.array(["photo", "row"]),
        "parts_missing": np.array([1, 0]),
        "logits_without": np.stack([wrong(0), wrong(0, 1)]),
        "logits_alone": np.stack([wrong(0, 1, 2), wrong(3)]),
        **changed,
    }
    return TrialResult("scratch", "baseline", seed, None, 1.0, **held)


def spec() -> ResolvedSpec:
    return ResolvedSpec.model_validate(
        {
            "sources": [{"dataset": "ds_a"}],
            "target": {"dataset": "ds_b"},
            "model": {"backbone": "fusion"},
            "strategies": [{"name": "fine_tune"}],
        }
    )


def test_each_part_alone_and_what_is_lost_without_it() -> None:
    trials = [trial(0), trial(1, logits_without=np.stack([SURE, wrong(1)]))]
    arms = gather(trials, ("scratch",), None, measures_of(TASK))
    told = parts_of(arms, spec())["scratch"]
    assert told.whole.mean == 1
    photo, row = told.parts["photo"], told.parts["row"]
    assert (photo.missing, row.missing) == (1, 0)
    assert (photo.alone.mean, row.alone.mean) == (0.25, 0.75)
    assert (photo.without.mean, row.without.mean) == (0.875, 0.625)
    np.testing.assert_allclose([photo.lost.mean, row.lost.mean], [0.125, 0.375])
    assert "loses most without `row`: 0.375" in told.sentence


def test_a_part_that_brings_nothing() -> None:
    arms = gather(
        [trial(0, logits_without=np.stack([SURE, wrong(1)]))], ("scratch",), None, measures_of(TASK)
    )
    assert "without `photo` it is no worse" in parts_of(arms, spec())["scratch"].sentence


def test_items_of_one_part_have_none() -> None:
    arms = gather([trial(0, part_names=None)], ("scratch",), None, measures_of(TASK))
    assert parts_of(arms, spec()) == {}
