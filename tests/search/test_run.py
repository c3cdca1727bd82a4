"""A search with the real engine."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.spec.outcomes import SearchOutcome
from app.spec.strategies import Strategy
from app.spec.training import Space
from tests.search.arms import strategy
from tests.training.trials import DOMAIN, Recorder, domain, spec, trial
from worker.search.run import run_search
from worker.training.checkpoint import Checkpoint
from worker.training.data import Domain
from worker.training.run import train
from worker.training.setup import Interrupted, Signal, TrialSetup

PROBE = {"max_epochs": 4}
PORTFOLIO: tuple[Strategy | None, ...] = (strategy("lp_ft", **PROBE), strategy("fine_tune"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "weights.npz"
    train(trial("pretrain", spec(), target=DOMAIN), Recorder()).save_weights(path)
    return path


def setup(weights: Path, **training: Any) -> TrialSetup:
    job = spec(learning_rate=0.01, epochs=8)
    job = job.model_copy(update={"training": job.training.model_copy(update=training)})
    return trial("lp_ft", job, source_weights=weights)


def searched(
    what: TrialSetup,
    portfolio: Sequence[Strategy | None],
    journal: Recorder,
    checkpoint: Checkpoint | None = None,
    space: Space | None = None,
) -> SearchOutcome:
    space = space or Space()
    return run_search(what, portfolio, journal, checkpoint, space=space, metric="accuracy")


class Signalling(Recorder):
    """Signals once the search has come so far."""

    def __init__(self, at: float, sent: Signal) -> None:
        super().__init__(lambda poll: sent if max(self.progress, default=0.0) >= at else None)


def timeless(outcome: SearchOutcome) -> dict[str, Any]:
    dump = outcome.model_dump(mode="json", exclude={"seconds"})
    for each in dump["tried"]:
        del each["seconds"]
    return dump


def test_the_portfolio_is_tried_on_held_out_items(weights: Path) -> None:
    recorder = Recorder()
    outcome = searched(setup(weights), PORTFOLIO, recorder)
    assert {each.strategy for each in outcome.tried} == {"lp_ft", "fine_tune"}
    assert all(each.score is not None and 0 <= each.score <= 1 for each in outcome.tried)
    assert outcome.chosen.name in outcome.reason
    assert "accuracy" in outcome.reason
    assert 0 < outcome.trainings <= 2 * 7  # seconds on any machine: all folds of both are afforded
    assert recorder.records == []
    assert outcome.scores is not None
    assert 0 <= (outcome.scores["probe"] or 0) <= 1
    assert recorder.progress == sorted(recorder.progress)
    assert recorder.progress[-1] <= 1


def test_a_rate_that_is_open_is_nothing_to_one_that_trains_nothing(weights: Path) -> None:
    space = Space(learning_rate=True)
    outcome = searched(setup(weights), (strategy("recalibrate"),), Recorder(), space=space)
    assert outcome.chosen.strategy == strategy("recalibrate")
    assert outcome.trainings == 0


@pytest.mark.slow
def test_paused_it_goes_on_to_the_same_outcome(weights: Path, tmp_path: Path) -> None:
    what = setup(weights)
    space, recorder = Space(learning_rate=True, epochs=True), Recorder()
    whole = timeless(searched(what, PORTFOLIO, recorder, space=space))
    for part in (0.0, 0.3, 0.8):
        journal = Signalling(part * max(recorder.progress), Signal.PAUSE)
        with pytest.raises(Interrupted) as interrupted:
            searched(what, PORTFOLIO, journal, space=space)
        assert interrupted.value.checkpoint is not None
        interrupted.value.checkpoint.save(tmp_path / "search.npz")
        restored = Checkpoint.load(tmp_path / "search.npz")
        assert timeless(searched(what, PORTFOLIO, Recorder(), restored, space)) == whole


def test_what_the_features_rule_out_is_not_tried(weights: Path) -> None:
    what = setup(weights)
    permuted = np.random.default_rng(0).permutation(DOMAIN.train.y)
    train_split = replace(DOMAIN.train, y=permuted)
    what = replace(what, target=Domain(DOMAIN.schema, train_split, DOMAIN.validation))
    outcome = searched(what, (*PORTFOLIO, strategy("linear_probe", **PROBE)), Recorder())
    probe = next(each for each in outcome.tried if each.strategy == "linear_probe")
    assert (probe.folds, probe.score) == (0, None)
    assert "little over guessing" in (probe.dropped or "")
    assert outcome.chosen.name != "linear_probe"


def test_stopped_it_leaves_nothing(weights: Path) -> None:
    with pytest.raises(Interrupted) as interrupted:
        searched(setup(weights), PORTFOLIO, Signalling(0.01, Signal.STOP))
    assert interrupted.value.checkpoint is None


@pytest.mark.slow
def test_the_baseline_s_settings_are_searched_for_too(weights: Path) -> None:
    what = replace(setup(weights), source=None, source_weights=None)
    outcome = searched(what, (None,), Recorder(), space=Space(learning_rate=True))
    assert {each.strategy for each in outcome.tried} == {"scratch"}
    assert any(each.learning_rate for each in outcome.tried)
    assert outcome.chosen.strategy is None


def test_what_diverges_is_dropped(weights: Path) -> None:
    outcome = searched(setup(weights, learning_rate=1e30), PORTFOLIO[::-1], Recorder())
    dropped = {each.strategy: each.dropped for each in outcome.tried}
    assert "expected" in (dropped["fine_tune"] or "")


def test_without_labels_the_score_is_information(weights: Path) -> None:
    what = setup(weights)
    hidden = Domain(
        DOMAIN.schema, DOMAIN.train.without_labels(), DOMAIN.validation.without_labels()
    )
    what = replace(what, target=hidden)
    portfolio = (strategy("coral"), strategy("dann", hidden=8))
    outcome = searched(what, portfolio, Recorder())
    assert "information" in outcome.reason
    assert all(0 <= (each.score or 0) <= np.log(3) for each in outcome.tried)


def test_with_one_item_a_class_the_first_is_taken(weights: Path) -> None:
    few = domain(items=3)
    none = few.train.select(np.empty(0, np.int64))
    what = replace(setup(weights), target=Domain(few.schema, few.train, none))
    outcome = searched(what, PORTFOLIO, Recorder())
    assert outcome.chosen.name == "lp_ft"
    assert "no class has two items" in outcome.reason
