"""Sources whose labels look like noise, by what their networks and the scores say."""

import numpy as np
import pytest

from app.spec.outcomes import Candidate, SearchOutcome
from app.spec.relation import Relation
from app.spec.spec import ResolvedSpec
from tests.evaluation.made_up import BETTER, COUNTS, SCRATCH, TASK, arm, spec
from tests.evaluation.test_sources import ranking_of, scored
from worker.evaluation.evidence import TrialResult
from worker.evaluation.report import build_report
from worker.evaluation.source_doubts import doubts_of

UNRELATED = Relation(told=0.021, by_chance=0.019, spread=0.002, p_value=0.3, entropy=1.4)
UNCLEAR = UNRELATED.model_copy(update={"spread": 0.02})
RELATED = Relation(told=0.7, by_chance=0.1, spread=0.02, p_value=0.01, entropy=1.4)


def pretrained(
    right: float, items: int = 100, classes: int = 4, name: str = "pretrain", seed: int = 0
) -> TrialResult:
    """Whose network is right on a share of its held-out items, the wrong answers spread evenly."""
    y = np.arange(items) % classes
    rank = np.arange(items) // classes  # within its class
    wrong = rank >= right * items / classes
    predicted = np.where(wrong, y + 1 + rank % (classes - 1), y) % classes
    return TrialResult(
        name,
        "pretrain",
        seed,
        None,
        1.0,
        y_validation=y,
        logits_validation=np.eye(classes, dtype=np.float32)[predicted],
    )


def searched(relation: Relation | None) -> TrialResult:
    outcome = SearchOutcome(
        chosen=Candidate(),
        reason="best",
        tried=(),
        scores={},
        relation=relation,
        trainings=1.0,
        seconds=1.0,
    )
    return TrialResult("fine_tune", "search", 0, None, 1.0, outcome=outcome)


def said(*trials: TrialResult, job: ResolvedSpec | None = None) -> dict[tuple[int, ...], str]:
    return doubts_of(job or spec(), trials)


def test_a_network_at_chance_on_its_own_held_out_items() -> None:
    doubt = said(pretrained(0.24))[0,]
    assert "its labels look like noise" in doubt
    assert "right on 0.24 of 100 held-out items of its own, 0.25 would be chance" in doubt


@pytest.mark.parametrize(("right", "classes"), [(0.5, 4), (0.25, 10), (0.7, 2)])
def test_a_poor_network_has_learnt_something(right: float, classes: int) -> None:
    assert said(pretrained(right, classes=classes)) == {}


@pytest.mark.parametrize("right", [0.5, 0.75])
def test_a_dozen_items_convict_nobody(right: float) -> None:
    assert said(pretrained(right, items=12, classes=2)) == {}


def test_one_pretraining_that_has_learnt_speaks_for_the_source() -> None:
    assert said(pretrained(0.24), pretrained(0.9, seed=1)) == {}
    assert len(said(pretrained(0.24), pretrained(0.24, seed=1))) == 1


def test_always_answering_the_commonest_class_is_chance() -> None:
    """Right on 80 of 100, and so would be a coin that answers as often."""
    y = np.repeat([0, 1], [80, 20])
    constant = np.eye(2, dtype=np.float32)[np.zeros(100, int)]
    trial = TrialResult(
        "pretrain", "pretrain", 0, None, 1.0, y_validation=y, logits_validation=constant
    )
    assert "0.80 would be chance" in said(trial)[0,]


def test_pretrainings_of_old_releases_and_those_taken_over_say_nothing() -> None:
    assert said(TrialResult("pretrain", "pretrain", 0, None, 0.0)) == {}


def test_classes_that_tell_no_more_than_chance() -> None:
    doubt = said(pretrained(0.9), searched(UNRELATED))[0,]
    assert doubt.endswith("they have nothing to do with each other, or its labels are noise")
    assert "tell 0.021 nats" in doubt
    assert "0.019 are told by chance" in doubt
    assert said(searched(RELATED)) == {}
    assert said(searched(UNCLEAR)) == {}
    assert "look like noise" in said(pretrained(0.24), searched(UNCLEAR))[0,]
    assert said(searched(None)) == {}


def test_the_report_says_it_of_a_single_source() -> None:
    trials = [*SCRATCH, *arm("fine_tune", BETTER), pretrained(0.24)]
    report = build_report(spec(), trials, TASK, COUNTS, source_names=["mnist"])
    assert any(each.startswith("mnist: its labels look like noise") for each in report.warnings)
    learnt = build_report(spec(), [*trials[:-1], pretrained(0.9)], TASK, COUNTS)
    assert not any("noise" in each for each in learnt.warnings)


def test_near_in_pictures_only() -> None:
    """Of three sources the one with permuted labels is the nearest."""
    job = ranking_of(3)
    trials = [
        scored(1, 0.5, distance=0.9),
        scored(2, 0.4, distance=0.3),
        scored(3, 0.3, distance=1.9),
        pretrained(0.9, name="pretrain@1"),
        pretrained(0.24, name="pretrain@2"),
    ]
    report = build_report(job, trials, TASK, COUNTS)
    (warning,) = (each for each in report.warnings if "noise" in each)
    assert warning.startswith("ds_2: its labels look like noise")
    assert warning.endswith("it is the nearest by proxy A-distance (0.30), in its pictures only")
    assert report.transferability
    assert [bool(each.doubt) for each in report.transferability.ranking] == [False, True, False]
    trials[1] = scored(2, 0.4, distance=1.0)
    assert "nearest" not in str(build_report(job, trials, TASK, COUNTS).warnings)
