"""The learning rate over a phase, as a factor of the group's own rate.

q = step / steps of the phase, from 0 to 1.
constant  1
cosine    (1 + cos πq) / 2        Loshchilov & Hutter, ICLR 2017, arXiv:1608.03983, without restarts
dann      (1 + 10q)^-0.75         Ganin et al., JMLR 2016, section 5.2.2
Warm-up multiplies by (step + 1) / warm-up steps until that is 1 (Goyal et al., arXiv:1706.02677).
"""

import numpy as np
from numpy.typing import NDArray

from worker.strategies.recipe import Optimization

Steps = NDArray[np.int64]


def rate_factors(
    optimization: Optimization, steps: Steps, total: int, epoch_steps: int
) -> NDArray[np.float32]:
    """Args:
    steps: numbers of steps within the phase, from 0, (n,).
    total: steps of the whole phase.
    epoch_steps: of one epoch.

    Returns:
        (n,), 0..1
    """
    q = progress(steps, total)
    match optimization.schedule:
        case "constant":
            factors = np.ones(len(steps))
        case "cosine":
            factors = (1 + np.cos(np.pi * q)) / 2
        case "dann":
            factors = (1 + 10 * q) ** -0.75
    warmup = optimization.warmup_epochs * epoch_steps
    if warmup:
        factors = factors * np.minimum(1.0, (steps + 1) / warmup)
    return factors.astype(np.float32)


def progress(steps: Steps, total: int) -> NDArray[np.float64]:
    """q of each step, (n,): 0 at the phase's first."""
    return steps / total
