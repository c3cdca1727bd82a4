"""Scores of how well a source suits a target, before anything is transferred."""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from app.spec.outcomes import ScoreOutcome
from app.spec.relation import Relation
from worker.backbones.network import Architecture, Network
from worker.evaluation.domain_distance import domain_distance
from worker.evaluation.relation import relation
from worker.evaluation.transferability import scores
from worker.strategies.recipe import Features
from worker.training import predict
from worker.training.data import Domain, Split
from worker.training.items import Indices
from worker.training.program import shared_network
from worker.training.setup import TrialSetup

DISTANCE_ITEMS = 1000  # of each domain


@dataclass(frozen=True, eq=False)
class SourceScores:
    """A source's network on a target's labelled items."""

    features: Features  # (n, feature_count)
    scores: dict[str, float | None]
    relation: Relation | None


def score(setup: TrialSetup) -> ScoreOutcome:
    """`scores` of the source's features on the target's labelled training items, the `relation` of
    their classes, and `domain_distance`, how far the two are apart in the features (null where the
    source has come without its data)."""
    train = setup.target.train
    found = scored(setup, train)
    apart = None
    if setup.source:
        drawn = _drawn(len(setup.source.train), setup.seed)
        of_source = predict.features(
            _network(setup, setup.source), setup.source.train.items.select(drawn)
        )
        of_target = found.features[_drawn(len(train), setup.seed)]
        apart = domain_distance(of_source, of_target, setup.seed)
    return ScoreOutcome(scores=found.scores, relation=found.relation, domain_distance=apart)


def scored(setup: TrialSetup, items: Split) -> SourceScores:
    """The source's network on the target's labelled `items`."""
    if setup.source_weights is None:
        raise ValueError("scores: expected a source's weights, got none")
    network = _network(setup, setup.target)
    features = predict.features(network, items.items)
    probabilities = None
    # An imported network may have come without a head, and another task's tells no classes.
    if setup.source_classes and setup.source_has_classes:
        head = network.new_head(setup.source_classes)
        network.load_head(setup.source_weights, head)
        probabilities = softmax(np.asarray(head(features)), axis=1)
    return SourceScores(
        features,
        scores(features, items.y, probabilities, setup.seed),
        None if probabilities is None else relation(probabilities, items.y, setup.seed),
    )


def _network(setup: TrialSetup, domain: Domain) -> Network:
    """Network with the source's backbone, for the raw images of a domain."""
    network = shared_network(Architecture.of(setup.model, domain.schema))
    if setup.source_weights:
        network.load_backbone(setup.source_weights, setup.learnt)
    return network


def _drawn(items: int, seed: int) -> Indices:
    return np.sort(np.random.default_rng(seed).permutation(items)[:DISTANCE_ITEMS])
