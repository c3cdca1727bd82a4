"""The process's TensorFlow: threads and GPU memory."""

import os
from functools import cache

import tensorflow as tf


@cache
def configure_tensorflow() -> int:
    """Returns the number of threads that one operation uses. Call it after a fork, never before.

    TensorFlow takes settings only before its first operation; one that has run already keeps those
    it started with.
    """
    try:
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.config.threading.set_intra_op_parallelism_threads(_cores())
        tf.config.threading.set_inter_op_parallelism_threads(_cores())
    except RuntimeError:
        return int(tf.config.threading.get_intra_op_parallelism_threads()) or _cores()
    return _cores()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # of this process, not of the machine
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
