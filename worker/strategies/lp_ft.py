"""LP-FT: a linear probe to convergence, then all layers at a smaller rate.

Kumar et al., "Fine-tuning can distort pretrained features and underperform out-of-distribution",
ICLR 2022, arXiv:2202.10054, section 4: with the head near its optimum the first gradients of
fine-tuning are small, and the source's features are not distorted for the sake of a random head.

1. V0 = argmin_V mean_i CE(V B0(x_i), y_i)
2. from (B0, V0): min_{B,V} mean_i CE(V B(x_i), y_i) at finetune_rate * eta, BatchNorm with the
   source's statistics

Departure: the paper sweeps the rate of step 2; here it is 0.3 of the job's by default
(docs/decisions/defaults.md).
"""

from app.spec.strategy_params import LpFtParams
from worker.backbones.network import Network
from worker.strategies import linear_probe
from worker.strategies.recipe import Group, Optimization, Phase, Setting, trainable
from worker.strategies.supervised import learn_items


def phases(network: Network, params: LpFtParams, setting: Setting) -> tuple[Phase, ...]:
    training = setting.training
    everything = trainable(network.backbone, network.head)
    return (
        *linear_probe.phases(network, params, setting),
        Phase(
            "finetune",
            learn_items(network, setting, batch_norm_frozen=True),
            (Group(everything, params.finetune_rate * training.learning_rate),),
            training.epochs,
            Optimization.of(training),
            norms=None,
        ),
    )
