"""Supervised training on the source: where every transfer starts from."""

from worker.backbones.network import Network
from worker.strategies.recipe import Group, Optimization, Phase, Setting, trainable
from worker.strategies.supervised import learn_items


def phases(network: Network, params: None, setting: Setting) -> tuple[Phase, ...]:
    training = setting.training
    return (
        Phase(
            "pretrain",
            learn_items(network, setting),
            (Group(trainable(network.backbone, network.head), training.learning_rate),),
            training.epochs,
            Optimization.of(training),
        ),
    )
