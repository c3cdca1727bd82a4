from worker.strategies.recipe import Convergence


def test_it_has_not_converged_before_the_window_is_full() -> None:
    assert not Convergence(0.1).reached([1.0] * 5)
    assert Convergence(0.1).reached([1.0] * 6)


def test_the_fall_is_measured_over_the_window_as_a_fraction() -> None:
    falling = [10.0, 9.9, 9.8, 9.7, 9.6, 9.2]  # 8 % in 5 epochs
    assert Convergence(0.09).reached(falling)
    assert not Convergence(0.07).reached(falling)
    assert not Convergence(0.07).reached([50.0, *falling])


def test_a_loss_that_rises_or_is_zero_has_converged() -> None:
    assert Convergence(0.1).reached([1, 1, 1, 1, 1, 2])
    assert Convergence(0.1).reached([0.0] * 6)


def test_it_looks_once_a_window() -> None:
    convergence = Convergence(0.1)
    assert [convergence.epochs_to_look(epochs) for epochs in range(7)] == [1, 5, 4, 3, 2, 1, 5]
    assert not any(convergence.reached([1.0] * epochs) for epochs in (7, 8, 9, 10))
    assert convergence.reached([1.0] * 11)
