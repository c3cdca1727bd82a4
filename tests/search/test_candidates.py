import pytest

from app.spec.outcomes import Candidate
from app.spec.strategy_catalogue import CATALOGUE
from app.spec.training import Training
from tests.search.arms import strategy
from worker.search.candidates import Costs

TRAINING = Training(epochs=10, batch_size=10)


def test_settings_stand_in_the_job_s_place() -> None:
    plain = Candidate(strategy=strategy("fine_tune"))
    assert plain.training(TRAINING) == TRAINING
    tuned = plain.model_copy(update={"learning_rate": 0.01, "weight_decay": 0.0, "epochs": 3})
    training = tuned.training(TRAINING.model_copy(update={"weight_decay": 0.1}))
    assert (training.learning_rate, training.weight_decay, training.epochs) == (0.01, 0.0, 3)
    assert training.batch_size == 10


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_share_of_the_epochs(name: str) -> None:
    candidate = Candidate(strategy=strategy(name))
    assert candidate.shortened(1.0, TRAINING) is candidate
    shorter = candidate.shortened(0.25, TRAINING)
    assert shorter.epochs == 3
    assert Candidate.model_validate_json(shorter.model_dump_json()) == shorter
    if name in {"linear_probe", "lp_ft"}:
        assert shorter.strategy is not None
        assert shorter.strategy.params.model_dump()["max_epochs"] == 75


def test_costs_by_hand() -> None:
    """45 items in batches of 10: 5 steps an epoch; 30 of a fold: 3."""
    costs = Costs(TRAINING, items=45, fold_items=30)
    by_hand = {"fine_tune": 50.0, "linear_probe": 150.0, "lp_ft": 200.0, "multi_task": 100.0}
    for name, cost in by_hand.items():
        assert costs.of_trial(Candidate(strategy=strategy(name))) == pytest.approx(cost)
    assert costs.of_trial(Candidate()) == 50
    lp_ft = Candidate(strategy=strategy("lp_ft"))
    assert costs.of_fold(lp_ft, 0.25) == pytest.approx(3 * (75 * 0.1 + 3))


def test_the_baseline_has_no_parameters() -> None:
    with pytest.raises(ValueError, match="expected a strategy"):
        Candidate().with_params(alpha=1)
