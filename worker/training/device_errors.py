"""Errors that a device raises, as typed failures."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import tensorflow as tf

from app.errors import FailureCode, WorkFailure
from app.spec.memory import LESS_MEMORY
from worker.failures import as_failure, file_error
from worker.machine.device import this_device

SHOWN_CHARACTERS = 300
TRACE = ("Graph execution error", "Detected at node", "Traceback", "File ", " ", "\t")
ROOT = re.compile(r"\(\d+\) +[A-Z_ ]+: +")  # of several errors, as a GPU's operations raise them
MARKS = re.compile(r"\[\[.*?\]\]|\{\{.*?\}\}|\[_Xla.*?\]|\[Op:.*?\]")
# What CUDA and its libraries fail with; others are faults of a program.
DEVICE_ERRORS = (
    tf.errors.InternalError,
    tf.errors.UnknownError,
    tf.errors.AbortedError,
    tf.errors.UnavailableError,
    tf.errors.DataLossError,
)


@contextmanager
def typed_errors(stage: Callable[[], str]) -> Iterator[None]:
    """Turns what a device raises in the block into a WorkFailure: `out_of_memory`, on a GPU
    `device_failed`, and what the disk did to compiled programs. `stage` tells where the work is by
    then."""
    device = this_device()
    try:
        yield
    except (tf.errors.OpError, MemoryError) as error:
        if file_error(error):
            raise as_failure(error) from error
        if isinstance(error, tf.errors.ResourceExhaustedError | MemoryError):
            whose = device.name if device.is_gpu else "the worker"
            what = f"{whose} has too little memory for phase {stage()}; {LESS_MEMORY}"
            raise WorkFailure(FailureCode.OUT_OF_MEMORY, what, stage=stage()) from error
        if not (device.is_gpu and isinstance(error, DEVICE_ERRORS)):
            raise
        what = (
            f"{device.name} failed in phase {stage()}: {essence(error)}; look at the driver's "
            "log (nvidia-smi, dmesg), then retry the job"
        )
        raise WorkFailure(FailureCode.DEVICE_FAILED, what, stage=stage()) from error


def essence(error: tf.errors.OpError) -> str:
    """Shortens TensorFlow's message to its first line that says something: around it stand the
    places in the program, and names of nodes."""
    lines = [MARKS.sub("", line).rstrip() for line in str(error.message).splitlines()]
    roots = [found.string[found.end() :] for line in lines if (found := ROOT.match(line.lstrip()))]
    said = (line for line in roots or lines if line and not line.startswith(TRACE))
    return next(said, type(error).__name__)[:SHOWN_CHARACTERS].strip()
