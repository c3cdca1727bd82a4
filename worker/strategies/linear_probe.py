"""Linear probe: the source's backbone stays frozen, a new head is trained on its features.

f = backbone(x), fixed;  L(V, b) = mean_i CE(V f_i + b, y_i), over the head (V, b) alone.
The features are computed once. L is convex: the head is trained until L has converged.
"""

from app.spec.strategy_params import LinearProbeParams
from worker.backbones.network import Network
from worker.strategies.recipe import Convergence, Group, Phase, Setting, trainable
from worker.strategies.supervised import learn_features


def phases(network: Network, params: LinearProbeParams, setting: Setting) -> tuple[Phase, ...]:
    return (
        Phase(
            "head",
            learn_features(network, setting),
            (Group(trainable(network.head), params.head_learning_rate),),
            params.max_epochs,
            stop=Convergence(params.tolerance),
            inputs="features",
            norms=None,
        ),
    )
