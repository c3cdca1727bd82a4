"""What TensorFlow says about CUDA on a machine that has none, kept off the terminal.

It says so when it is imported and when it first looks for GPUs, as errors, whatever
TF_CPP_MIN_LOG_LEVEL asks for: absl writes it before it reads that. A worker says which device it
computes on by itself (worker/machine/gpus.py).
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile

from worker.machine import gpus

NOISE = re.compile(
    rb"cudart_stub\.cc|cuda_platform\.cc|log messages before absl::InitializeLog\(\) is called"
)
STDERR = 2


@contextmanager
def without_cuda_noise() -> Iterator[None]:
    """Holds back what is written to stderr meanwhile, by C++ too, and then writes the lines that
    are no noise. Nothing is held back where there is a driver: there it may say what is wrong."""
    if gpus.DRIVER.exists():
        yield
        return
    sys.stderr.flush()
    with TemporaryFile() as held:
        own = os.dup(STDERR)
        os.dup2(held.fileno(), STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(own, STDERR)
            os.close(own)
            held.seek(0)
            for line in held:
                if not NOISE.search(line):
                    os.write(STDERR, line)
