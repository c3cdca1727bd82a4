"""Optimisation of the strategies that learn from target items without labels.

SGD, Nesterov momentum 0.9, weight decay 1e-3, rate lr0 (1 + 10q)^-0.75 over the phase's progress q
(Ganin et al., JMLR 2016, section 5.2.2). All begins from the source's network, its head included.
"""

import keras

from app.spec.strategy_params import AdaptParams
from worker.backbones.network import Network
from worker.strategies.recipe import (
    Group,
    Loss,
    Optimization,
    Phase,
    Setting,
    Stream,
    trainable,
)


def adapting(params: AdaptParams) -> Optimization:
    return Optimization("sgd", "dann", weight_decay=params.weight_decay)


def groups(network: Network, params: AdaptParams, *new: keras.Layer) -> tuple[Group, ...]:
    """The backbone, and the head together with what is `new`: a discriminator."""
    return (
        Group(trainable(network.backbone), params.backbone_rate * params.learning_rate),
        Group(trainable(network.head, *new), params.learning_rate),
    )


def two_domain_phase(
    network: Network, params: AdaptParams, setting: Setting, loss: Loss, *new: keras.Layer
) -> Phase:
    """Source and target side by side, from the source's network; `new` are the companions."""
    beside: tuple[Stream, ...] = ("target", "source", "unlabelled")
    return Phase(
        "adapt",
        loss,
        groups(network, params, *new),
        setting.training.epochs,
        adapting(params),
        streams=beside if setting.unlabelled else ("source", "target"),
        companions=new,
        source_head=network.head,
    )
