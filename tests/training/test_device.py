import tensorflow as tf

from worker.training.device import configure_tensorflow


def test_a_tensorflow_that_runs_already_keeps_its_threads() -> None:
    tf.constant(1)
    configure_tensorflow.cache_clear()
    assert configure_tensorflow() >= 1
    assert configure_tensorflow() == configure_tensorflow()
