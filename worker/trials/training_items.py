"""Outputs for the items that a network has learnt from: the report is warned by it."""

import numpy as np

from worker.backbones.network import Network
from worker.evaluation.predictions import Predictions
from worker.training.features import frozen_outputs
from worker.training.population_norms import batch_outputs
from worker.training.predict import outputs_of
from worker.training.program import keeps_backbone
from worker.training.setup import TrialSetup

ITEMS = 512  # of more, so many are drawn


def look_back(network: Network, setup: TrialSetup) -> Predictions:
    """Computes `logits_train` and `logits_train_mode`, (k, classes), float32, of k <= 512 items
    that the trial was trained on: in inference, and in training mode, where BatchNorm goes by the
    batch; and `y_train`, their labels, (k,), int32, unless they are hidden.

    A network that has learnt is better than chance here, and alike in both modes.
    """
    train = setup.target.train
    drawn = train.select(np.random.default_rng(setup.seed).permutation(len(train))[:ITEMS])
    is_frozen = keeps_backbone(setup)
    outputs = (frozen_outputs if is_frozen else outputs_of)(network, drawn.items)
    found = Predictions(logits_train=outputs, logits_train_mode=outputs)
    if network.norms and not is_frozen:  # else both modes are one
        size = setup.training.batch_size
        found["logits_train_mode"] = batch_outputs(network, drawn.items, size)
    if drawn.is_labelled:
        found["y_train"] = drawn.y
    return found
