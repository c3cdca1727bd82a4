"""The process's device: threads, GPU memory, and the facts that the engine's choices depend on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Literal

import tensorflow as tf
from tensorflow.python.framework.config import disable_op_determinism  # enable's is public

from app.spec.backbones import CATALOGUE, Backbone
from worker.machine.capacity import cores
from worker.machine.cuda_noise import without_cuda_noise

Precision = Literal["float32", "mixed_bfloat16"]
BFLOAT16_SINCE = (8, 0)  # compute capability: Ampere
# Flags of XLA with either of which a network of characters trained to equal bits (H200)
IN_ORDER = ("--xla_gpu_exclude_nondeterministic_ops", "--xla_gpu_deterministic_ops")


@dataclass(frozen=True)
class Device:
    """Device that a process computes on; of several GPUs the weakest."""

    kind: Literal["cpu", "gpu"]
    name: str
    compute_capability: tuple[int, int] = (0, 0)

    @property
    def is_gpu(self) -> bool:
        return self.kind == "gpu"

    @property
    def has_bfloat16(self) -> bool:
        return self.is_gpu and self.compute_capability >= BFLOAT16_SINCE


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
        with without_cuda_noise():  # the first look
            found = tf.config.list_physical_devices("GPU")
        for gpu in found:
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:
        return int(tf.config.threading.get_intra_op_parallelism_threads()) or cores()
    return threads


def this_device() -> Device:
    """The device that this process computes on. It wakes CUDA: call it after a fork."""
    return _stand_ins[-1] if _stand_ins else _found()


_stand_ins: list[Device] = []


@contextmanager
def standing_in(device: Device) -> Iterator[None]:
    """Lets the engine choose as it would on `device`, for tests of those choices."""
    _stand_ins.append(device)
    try:
        yield
    finally:
        _stand_ins.pop()


@cache
def _found() -> Device:
    details = [
        tf.config.experimental.get_device_details(gpu)
        for gpu in tf.config.list_physical_devices("GPU")
    ]
    if not details:
        return Device("cpu", "CPU")
    weakest = min(details, key=lambda each: each.get("compute_capability", (0, 0)))
    name, capability = weakest.get("device_name", "GPU"), weakest.get("compute_capability", (0, 0))
    return Device("gpu", name, capability)


@contextmanager
def deterministic_operations() -> Iterator[None]:
    """Asks a GPU's operations for the same bits each time. A CPU's give them anyway, and XLA's do
    too, but with this switched on it refuses the gradient of max pooling: so it is on for the plain
    loop's calls alone."""
    if not this_device().is_gpu:
        yield
        return
    tf.config.experimental.enable_op_determinism()
    try:
        yield
    finally:
        disable_op_determinism()


def adds_in_any_order() -> bool:
    """Tells whether XLA's programs add what several items say of one row of a table in whichever
    order the device comes to it: on a GPU, unless the user's flags forbid that."""
    flags = os.environ.get("XLA_FLAGS", "").split()
    names = {flag.removesuffix("=true") for flag in flags}
    return this_device().is_gpu and names.isdisjoint(IN_ORDER)


@contextmanager
def full_float32() -> Iterator[None]:
    """Computes products of float32 in float32, and not in the ten bits that TF32 has of it, which
    is what a GPU does by itself: probabilities then differ from a CPU's by .001."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def resolve_precision(
    wanted: Literal["auto", "float32", "mixed_bfloat16"], model: Backbone
) -> Precision:
    """Decides what a network computes in. `auto` is bfloat16, which needs no scaling of the loss,
    on GPUs that have it where it pays: a convnet's epoch gained 14 % over TF32, dense layers lost
    12 % (H200), and MobileNetV2 gained 15 % but took 45 s longer to compile (H100)."""
    if wanted != "auto":
        return wanted
    pays = CATALOGUE[model.backbone].bfloat16_pays and this_device().has_bfloat16
    return "mixed_bfloat16" if pays else "float32"
