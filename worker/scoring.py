"""How well a source suits a target, before anything is transferred."""

from typing import Any

import numpy as np
from scipy.special import softmax

from worker.backbones.network import Architecture, Network
from worker.evaluation.domain_distance import domain_distance
from worker.evaluation.transferability import scores
from worker.training import predict
from worker.training.data import Domain, Rows
from worker.training.setup import TrialSetup

DISTANCE_ITEMS = 1000  # of each domain


def score(setup: TrialSetup) -> dict[str, Any]:
    """`scores` of the source's features on the target's labelled training items, and how far the
    `domains` are apart in them (null where the source has come without its data)."""
    features, probabilities = _outlook(setup, setup.domain)
    apart = None
    if setup.source:
        drawn = [
            _features(setup, domain, _drawn(domain, setup.seed))
            for domain in (setup.source, setup.domain)
        ]
        apart = domain_distance(drawn[0], drawn[1], setup.seed)
    found = scores(features, setup.domain.train.y, probabilities, setup.seed)
    return {"scores": found, "domain_distance": apart}


def _outlook(setup: TrialSetup, domain: Domain) -> tuple[Any, Any]:
    """Features of the training items, and what the source's head says of them."""
    if setup.source_weights is None:
        raise ValueError("score: expected a source's weights, got none")
    features = _features(setup, domain, domain.train.x)
    network = Network(Architecture.of(setup.spec.model, domain.schema))
    head = network.new_head(setup.source_classes)
    network.load_head(setup.source_weights, head)
    return features, softmax(np.asarray(head(features)), axis=1)


def _features(setup: TrialSetup, domain: Domain, rows: Rows) -> Any:
    network = Network(Architecture.of(setup.spec.model, domain.schema))
    if setup.source_weights:
        network.load_backbone(setup.source_weights)
    return predict.features(network, rows)


def _drawn(domain: Domain, seed: int) -> Rows:
    items = len(domain.train)
    rows = np.random.default_rng(seed).permutation(items)[:DISTANCE_ITEMS]
    return domain.train.select(np.sort(rows)).x
