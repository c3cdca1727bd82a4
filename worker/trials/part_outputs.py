"""Outputs for test items of several parts without each of them, and by each alone."""

import numpy as np

from app.inputs.joined import JoinedInputs
from worker.backbones.network import Network
from worker.evaluation.arrays import Floats
from worker.evaluation.predictions import Predictions
from worker.training.items import Items
from worker.training.predict import outputs_of


def part_outputs(network: Network, items: Items) -> Predictions:
    """Nothing where items are one part."""
    inputs = network.architecture.inputs
    if not isinstance(inputs, JoinedInputs):
        return Predictions()
    tensors = items.read()
    known = [part.known(tensors).any() for part in inputs.parts]
    if sum(known) < 2:  # items that are one part, for a network of several
        return Predictions()
    names = [part.name for part in inputs.parts]

    def outputs(hidden: set[str]) -> Floats:
        return outputs_of(network, Items.of(inputs.without(tensors, hidden)))

    return Predictions(
        part_names=np.array(names),
        parts_missing=np.array([int((~part.known(tensors)).sum()) for part in inputs.parts]),
        logits_without=np.stack([outputs({name}) for name in names]),
        logits_alone=np.stack([outputs({*names} - {name}) for name in names]),
    )
