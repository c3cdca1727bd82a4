"""CORAL in its closed form: the head of the source's network, on features of the target that are
given the mean and the covariance of the source's; no step is trained.

Sun, Feng & Saenko, "Return of frustratingly easy domain adaptation", AAAI 2016, arXiv:1511.05547,
algorithm 1, on features at mean 0 and deviation 1 in each domain, as its section 4.1 has them:

C_S = cov(F_S) + lambda I,  C_T = cov(F_T) + lambda I,  F_S' = F_S C_S^(-1/2) C_T^(1/2)

F_S, F_T: all training items' features B(x) of the source's network. The paper whitens and recolours
the source's and trains a classifier on F_S', whose logits of the target are F_T V' + b. Departure:
a linear classifier without a penalty is trained to the same logits on F_S' = F_S A as on F_S, with
the weights V' = A^(-1) V, so nothing is trained anew:

V' = C_T^(-1/2) C_S^(1/2) V

with both domains' means and deviations it goes into the head's own weights. Deep CORAL
(worker/strategies/coral.py) trains the features towards equal covariances instead.
"""

import numpy as np
from numpy.typing import NDArray

from app.spec.strategy_params import LinearCoralParams
from worker.backbones.network import Network
from worker.strategies.recipe import Features, Outlook, Phase, Setting, Stream
from worker.strategies.supervised import learn_items

Matrix = NDArray[np.float64]


def phases(network: Network, params: LinearCoralParams, setting: Setting) -> tuple[Phase, ...]:
    def align(outlook: Outlook) -> None:
        (f_t, _), (f_s, _) = outlook("target"), outlook("source")
        if setting.unlabelled:
            f_t = np.concatenate([f_t, outlook("unlabelled")[0]])
        kernel, bias = network.head.variables
        scale, shift = recoloured(f_s, f_t, params.ridge)
        weights = kernel.numpy().astype(np.float64)
        kernel.assign(scale @ weights)
        bias.assign(bias.numpy() + shift @ weights)

    alone: tuple[Stream, ...] = ("target", "source")
    return (
        Phase(
            "adapt",
            learn_items(network, setting),
            (),
            epochs=0,
            streams=(*alone, "unlabelled") if setting.unlabelled else alone,
            source_head=network.head,
            norms=None,
            prepare=align,
        ),
    )


def recoloured(f_s: Features, f_t: Features, ridge: float) -> tuple[Matrix, Matrix]:
    """Finds the affine map f A + a of the target's features that gives them the source's mean and,
    but for the ridge, covariance.

    Args:
        f_s, f_t: features (n, d) of each domain, n >= 1.
        ridge: lambda of the module's formula, above 0.

    Returns:
        A (d, d) and a (d,), float64.
    """
    (mean_s, spread_s, c_s), (mean_t, spread_t, c_t) = (
        _moments(f.astype(np.float64), ridge) for f in (f_s, f_t)
    )
    scale = (power(c_t, -0.5) @ power(c_s, 0.5)) * spread_s / spread_t[:, None]
    return scale, mean_s - mean_t @ scale


def _moments(f: Matrix, ridge: float) -> tuple[Matrix, Matrix, Matrix]:
    """Returns the mean (d,), the deviation (d,), 1 where it is 0, and the covariance (d, d) of what
    is left, with the ridge on its diagonal."""
    mean, spread = f.mean(0), f.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    z = (f - mean) / spread
    return mean, spread, z.T @ z / max(len(f) - 1, 1) + ridge * np.eye(f.shape[1])


def power(c: Matrix, exponent: float) -> Matrix:
    """Returns c^exponent of a symmetric positive definite matrix (d, d)."""
    values, vectors = np.linalg.eigh(c)
    found: Matrix = (vectors * values**exponent) @ vectors.T
    return found
