"""Recalibration: the source's network as it is, with a slope and biases that the target's few
labels tell.

Platt, "Probabilistic outputs for support vector machines", 1999, for two classes; bias-corrected
temperature scaling (Alexandari, Kundaje & Shrikumar, ICML 2020, arXiv:1901.06852) for more.

z' = s z + c,   (log s, c) = argmin  sum_i CE(s z_i + c, y_i) + (log s)^2 / 2 a^2 + |c|^2 / 2 b^2

z: the source network's logits of the target's training items; s is one number, c one per class. The
prior keeps both near 1 and 0 where there are next to no labels (a: `slope_spread`, b:
`bias_spread`). What is found goes into the head's own weights: no layer is added. With the job's
`logit_adjustment` or `class_weights` the cross-entropies are adjusted, or weighted, as every arm's.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from app.spec.strategy_params import RecalibrateParams
from worker.backbones.network import Network
from worker.objectives.class_weights import ClassWeighted
from worker.objectives.logit_adjustment import LogitAdjusted
from worker.strategies.recipe import Features, Labels, Phase, Setting
from worker.strategies.supervised import learn_items


def phases(network: Network, params: RecalibrateParams, setting: Setting) -> tuple[Phase, ...]:
    def recalibrate(outlook: Callable[[], tuple[Features, Labels]]) -> None:
        features, labels = outlook()
        logits = network.head(features).numpy()
        spreads = params.slope_spread, params.bias_spread
        adjusted = _offsets(setting), _weights(setting)
        slope, bias = slope_and_bias(logits, labels, *spreads, *adjusted)
        kernel, offset = network.head.variables
        kernel.assign(slope * kernel.numpy())
        offset.assign(slope * offset.numpy() + bias)

    loss = learn_items(network, setting)
    return (
        Phase(
            "adapt",
            loss,
            (),
            epochs=0,
            source_head=network.head,
            norms=None,
            prepare=recalibrate,
        ),
    )


def _offsets(setting: Setting) -> NDArray[np.float64] | float:
    objective = setting.objective
    return np.array(objective.offsets) if isinstance(objective, LogitAdjusted) else 0.0


def _weights(setting: Setting) -> NDArray[np.float64] | float:
    objective = setting.objective
    return np.array(objective.weights) if isinstance(objective, ClassWeighted) else 1.0


def slope_and_bias(
    logits: NDArray[np.floating],
    labels: Labels,
    slope_spread: float,
    bias_spread: float,
    offsets: NDArray[np.float64] | float = 0.0,
    weights: NDArray[np.float64] | float = 1.0,
) -> tuple[float, NDArray[np.float64]]:
    """Finds s and c of the module's formula.

    Args:
        logits: (n, K), n >= 0.
        labels: classes, (n,).
        slope_spread, bias_spread: standard deviations of the prior of log s and of each bias.
        offsets: what is added to the logits in the fit alone, (K,): logit adjustment's, so that the
            biases do not learn which classes are common.
        weights: by which the cross-entropies of a class's items are multiplied, (K,).

    Returns:
        s above 0, and c (K,).
    """
    z = logits.astype(np.float64)
    z -= z.mean(axis=1, keepdims=True)  # what all classes share says nothing
    right = np.eye(z.shape[1])[labels]
    of_item = np.broadcast_to(weights, z.shape[1])[labels][:, None]

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slope, bias = np.exp(at[0]), at[1:]
        logs = log_softmax(slope * z + bias + offsets, axis=1)
        prior = (at[0] / slope_spread) ** 2 + ((bias / bias_spread) ** 2).sum()
        wrong = of_item * (np.exp(logs) - right)
        of_slope = slope * (wrong * z).sum() + at[0] / slope_spread**2
        of_bias = wrong.sum(axis=0) + bias / bias_spread**2
        of_labels = -(of_item * logs * right).sum()
        return float(of_labels + prior / 2), np.concatenate([[of_slope], of_bias])

    found = minimize(loss, np.zeros(1 + z.shape[1]), jac=True, method="L-BFGS-B").x
    return float(np.exp(found[0])), found[1:]
