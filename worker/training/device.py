"""The process's TensorFlow: threads and GPU memory."""

import os
from functools import cache
from typing import Literal

import tensorflow as tf

from worker.backbones.network import Precision

BFLOAT16_SINCE = (8, 0)  # compute capability: Ampere


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


@cache
def has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


@cache
def resolve_precision(wanted: Literal["auto", "float32", "mixed_bfloat16"]) -> Precision:
    """`auto` is mixed where every GPU computes in bfloat16, which needs no scaling of the loss."""
    if wanted != "auto":
        return wanted
    details = map(tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU"))
    capabilities = [detail.get("compute_capability", (0, 0)) for detail in details]
    able = capabilities and all(found >= BFLOAT16_SINCE for found in capabilities)
    return "mixed_bfloat16" if able else "float32"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # of this process, not of the machine
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
