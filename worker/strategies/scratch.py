"""The baseline: the same network with the same steps on the target alone, from random weights."""

from worker.backbones.network import Network
from worker.strategies.recipe import Group, Optimization, Phase, Setting, trainable
from worker.strategies.supervised import learn_items


def phases(network: Network, params: None, setting: Setting) -> tuple[Phase, ...]:
    training = setting.training
    return (
        Phase(
            "finetune",
            learn_items(network, setting),
            (Group(trainable(network.backbone, network.head), training.learning_rate),),
            training.epochs,
            Optimization.of(training),
        ),
    )
