"""Supervised training on the source: where every transfer starts from."""

from app.jobs.training import Training
from worker.backbones.network import Network
from worker.strategies.cross_entropy import classify_images
from worker.strategies.recipe import Group, Optimization, Phase, trainable


def phases(network: Network, params: None, training: Training) -> tuple[Phase, ...]:
    return (
        Phase(
            "pretrain",
            classify_images(network, training),
            (Group(trainable(network.backbone, network.head), training.learning_rate),),
            training.pretrain_epochs or training.epochs,
            Optimization.of(training),
        ),
    )
