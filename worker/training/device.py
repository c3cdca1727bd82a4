"""The process's TensorFlow: threads and GPU memory."""

from functools import cache
from typing import Literal

import tensorflow as tf

from worker.backbones.network import Precision
from worker.capacity import cores

BFLOAT16_SINCE = (8, 0)  # compute capability: Ampere


def configure_tensorflow(threads: int | None = None) -> int:
    """Returns the number of threads that one operation uses: `threads`, or all cores, as the first
    call says. Call it after a fork, never before.

    TensorFlow takes settings only before its first operation; one that has run already keeps those
    it started with.
    """
    if not _threads:
        _threads.append(_configure(threads or cores()))
    return _threads[0]


_threads: list[int] = []  # of the process, once they are settled


def _configure(threads: int) -> int:
    try:
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        return int(tf.config.threading.get_intra_op_parallelism_threads()) or cores()
    return threads


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
