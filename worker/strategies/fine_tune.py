"""Fine-tuning: all layers start from the source's weights, with a new head.

Yosinski et al., "How transferable are features in deep neural networks?", NeurIPS 2014,
arXiv:1411.1792.

L(B, V) = mean_i CE(V B(x_i), y_i)
Rates: eta for the new head V, backbone_rate * eta for the backbone B, which has less to learn
(departure from the paper, which trains all layers at one rate: backbone_rate 1).
"""

from app.spec.strategy_params import FineTuneParams
from worker.backbones.network import Network
from worker.strategies.recipe import Optimization, Phase, Setting, fine_tuned
from worker.strategies.supervised import learn_items


def phases(network: Network, params: FineTuneParams, setting: Setting) -> tuple[Phase, ...]:
    training = setting.training
    return (
        Phase(
            "finetune",
            learn_items(network, setting),
            fine_tuned(network, params, training),
            training.epochs,
            Optimization.of(training),
        ),
    )
