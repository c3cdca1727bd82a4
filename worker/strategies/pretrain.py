"""Supervised training on the source: where every transfer starts from."""

from worker.backbones.network import Network
from worker.strategies.cross_entropy import classify_images
from worker.strategies.recipe import Group, Optimization, Phase, Setting, trainable


def phases(network: Network, params: None, setting: Setting) -> tuple[Phase, ...]:
    training = setting.training
    return (
        Phase(
            "pretrain",
            classify_images(network, training),
            (Group(trainable(network.backbone, network.head), training.learning_rate),),
            training.pretrain_epochs or training.epochs,
            Optimization.of(training),
        ),
    )
