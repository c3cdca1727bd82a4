"""What an order was worth: numbers by hand, and data of which it is known."""

import numpy as np
import pytest

from app.tasks.classification import Classification
from app.tasks.regression import Regression
from worker.labelling.simulation import Simulated, gain_of, simulate, standardised, steps_of
from worker.labelling.worth import saved, too_few, worth_of

THREE = Classification(classes=("a", "b", "c"))
ACCURACY = Classification.metrics["accuracy"]


def simulated(ordered: list[list[float]], random: list[list[float]]) -> Simulated:
    return Simulated("doubtful", np.array([10, 20, 40]), np.array(ordered), np.array(random))


def test_steps_leave_the_orders_a_choice() -> None:
    """Of 100 items 30 are held out, and half of the other 70 may be chosen."""
    steps = steps_of(100)
    assert (steps[0], steps[-1], len(steps)) == (4, 35, 8)
    assert (np.diff(steps) > 0).all()
    assert steps_of(100_000)[-1] == 260


def test_features_keep_their_weights_but_not_their_scale() -> None:
    """Mean squares 1 and 9, their mean 5."""
    found = standardised(np.array([[4.0, 7.0], [2.0, 1.0]]))
    assert found == pytest.approx(np.array([[1.0, 3.0], [-1.0, -3.0]]) / 5**0.5)
    assert (standardised(np.ones((3, 2))) == 0).all()


def test_a_gain_leaves_the_first_step_out_which_both_orders_share() -> None:
    found = np.array([[[0.9, 0.6, 0.8], [0.1, 0.5, 0.5]]])
    assert gain_of(found) == pytest.approx([0.2])


def test_labels_are_saved_by_straight_lines() -> None:
    """Random order ends at .8; the other has .7 with 20 and .9 with 40 labels: .8 with 30."""
    found = simulated([[0.5, 0.7, 0.9]], [[0.5, 0.6, 0.8]])
    assert saved(found, sign=1) == 10
    assert saved(simulated([[0.5, 0.6, 0.7]], [[0.5, 0.6, 0.8]]), sign=1) is None
    errors = simulated([[9.0, 2.0, 1.0]], [[9.0, 5.0, 2.0]])
    assert saved(errors, sign=-1) == 20
    assert saved(simulated([[0.9, 0.7, 0.9]], [[0.9, 0.6, 0.8]]), sign=1) == 30  # from the start


@pytest.mark.parametrize(
    ("random", "said"),
    [
        ([[0.5, 0.6, 0.8], [0.5, 0.62, 0.8]], "10 of 40 labels were saved"),
        ([[0.5, 0.8, 0.8], [0.5, 0.6, 0.9]], "no evidence"),
        ([[0.5, 0.9, 1.0], [0.5, 0.92, 1.0]], "label at random"),
    ],
)
def test_the_sentence_says_what_the_interval_allows(random: list[list[float]], said: str) -> None:
    found = simulated([[0.5, 0.7, 0.9], [0.5, 0.7, 0.9]], random)
    worth, sentence = worth_of(found, "accuracy", ACCURACY, 60, started=True)
    assert said in sentence
    assert worth.gain == pytest.approx(gain_of(np.stack([found.ordered, found.random], 1)).mean())
    assert worth.low <= worth.gain <= worth.high
    assert (worth.features, worth.items, worth.draws) == ("start", 60, 2)
    assert worth.random.mean == pytest.approx(found.random.mean(axis=0))


def test_a_better_error_is_a_positive_gain() -> None:
    mae = Regression.metrics["mae"]
    found = simulated([[9, 3, 2], [9, 3, 2.2]], [[9, 5, 4], [9, 5, 4.2]])
    worth, sentence = worth_of(found, "mae", mae, 60, started=False)
    assert worth.gain == pytest.approx(2)
    assert (worth.features, worth.metric) == ("winner", "mae")
    assert "labels were saved" in sentence


def test_too_few_items_are_not_simulated() -> None:
    features, y = np.random.default_rng(0).normal(size=(39, 2)), np.arange(39) % 3
    assert simulate(THREE, "accuracy", features, y, 0) is None
    assert "there are 39" in too_few(39)


def test_classes_that_are_rare_are_found_sooner_in_order() -> None:
    """Three heaps, far apart, of 168, 6 and 6 items: at random the small ones are met late."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [168, 6, 6]).astype(np.int32)
    features = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])[y] + rng.normal(size=(180, 2)) / 4
    found = simulate(THREE, "balanced_accuracy", features, y, 0)
    assert found is not None
    worth, sentence = worth_of(found, "balanced_accuracy", ACCURACY, 180, started=True)
    assert worth.low > 0.05
    assert worth.saved is not None
    assert "saved" in sentence
    again = simulate(THREE, "balanced_accuracy", features, y, 0)
    assert again is not None
    assert (again.ordered == found.ordered).all()


def test_labels_that_features_know_nothing_of_are_worth_nothing_in_any_order() -> None:
    rng = np.random.default_rng(1)
    y = rng.integers(0, 3, 120).astype(np.int32)
    found = simulate(THREE, "accuracy", rng.normal(size=(120, 4)), y, 0)
    assert found is not None
    _, sentence = worth_of(found, "accuracy", ACCURACY, 120, started=True)
    assert "no evidence" in sentence
