import tensorflow as tf

from worker.training.device import configure_tensorflow


def test_a_tensorflow_that_runs_already_keeps_its_threads() -> None:
    tf.constant(1)
    settled = configure_tensorflow()
    assert settled >= 1
    assert configure_tensorflow(settled + 1) == settled
