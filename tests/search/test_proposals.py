import pytest

from app.spec.outcomes import Candidate
from app.spec.strategy_catalogue import CATALOGUE
from app.spec.training import Space, Training
from tests.search.arms import candidates, strategy
from worker.search.proposals import Proposals, dimensions

ALL = Space(learning_rate=True, weight_decay=True, epochs=True)
TRAINING = Training(epochs=20)


def proposed(defaults: list[Candidate], space: Space, count: int, seed: int = 0) -> list[Candidate]:
    proposals, asked = Proposals(defaults, space, TRAINING, seed), []
    for default in defaults:
        proposals.tell_default(default, 0.5)
    for number in range(count):
        asked.append(proposals.ask())
        proposals.tell(None if number == 1 else 0.1 * number)
    return asked


def test_proposals_stay_in_their_ranges() -> None:
    asked = proposed(candidates("fine_tune", "co_tuning"), ALL, 40)
    assert {each.name for each in asked} == {"fine_tune", "co_tuning"}
    rates = [each.learning_rate or 0 for each in asked]
    assert all(1e-4 <= rate <= 1e-2 for rate in rates)
    decays = [each.weight_decay for each in asked if each.weight_decay is not None]
    assert len(decays) == 40
    assert 0.0 in decays
    assert all(decay == 0 or 1e-5 <= decay <= 1e-2 for decay in decays)
    assert all(5 <= (each.epochs or 0) <= 20 for each in asked)


def test_only_what_is_asked_for_is_proposed() -> None:
    for each in proposed(candidates("fine_tune"), Space(weight_decay=True), 5):
        assert each.learning_rate is None
        assert each.epochs is None
        assert each.weight_decay is not None


def test_equal_answers_give_equal_proposals() -> None:
    first, again, other = (proposed(candidates("fine_tune"), ALL, 12, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_a_strategy_s_own_rate_is_its_parameter() -> None:
    """What adapts without labels, and a probe's head, do not learn at the job's rate."""
    for name, own in {"mcc": "learning_rate", "linear_probe": "head_learning_rate"}.items():
        (asked,) = proposed([Candidate(strategy=strategy(name))], Space(learning_rate=True), 1)
        assert asked.learning_rate is None
        assert asked.strategy is not None
        assert getattr(asked.strategy.params, own) != 0.01
        assert 0.001 <= getattr(asked.strategy.params, own) <= 0.1


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_strategy_s_own_parameters_exist(name: str) -> None:
    candidate = Candidate(strategy=strategy(name))
    fields = set(candidate.strategy.params.model_dump()) if candidate.strategy else set()
    assert {own for own in dimensions(candidate, ALL).values() if own} <= fields
    assert dimensions(candidate, Space()) == {}


def test_the_baselines_epochs_are_searched_for_as_an_arms_are() -> None:
    assert set(dimensions(Candidate(), ALL)) == {"learning_rate", "weight_decay", "epochs"}


def test_nothing_can_be_told_before_it_is_asked() -> None:
    with pytest.raises(ValueError, match="expected a candidate"):
        Proposals(candidates("fine_tune"), ALL, TRAINING, 0).tell(0.5)
