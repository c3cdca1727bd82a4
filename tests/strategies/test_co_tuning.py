import numpy as np
import pytest

from tests.strategies.losses import cross_entropy, log_softmax, scene
from tests.training.trials import DOMAIN
from worker.strategies.co_tuning import CategoryRelationship


def test_the_relation_is_the_mean_of_the_sources_probabilities_by_class() -> None:
    here = scene("co_tuning", source_classes=4)
    source_head, relation = here.phase.companions
    assert isinstance(relation, CategoryRelationship)
    features = here.network.features(DOMAIN.train.items.read()).numpy()
    said = np.exp(log_softmax(source_head(features).numpy()))
    for label in range(3):
        expected = said[DOMAIN.train.y == label].mean(0)
        np.testing.assert_allclose(relation.table.numpy()[label], expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(relation.table.numpy().sum(1), 1, rtol=1e-5)


def test_the_loss_by_hand() -> None:
    here = scene("co_tuning", source_classes=4, weight=1.7)
    source_head, relation = here.phase.companions
    features = here.network.features(here.x).numpy()
    said = log_softmax(source_head(features).numpy())
    aligned = -(relation.table.numpy()[here.y] * said).sum(1).mean()
    supervised = cross_entropy(here.network.head(features).numpy(), here.y)
    assert here.loss() == pytest.approx(supervised + 1.7 * aligned, rel=1e-5)


def test_a_class_without_items_is_expected_nowhere() -> None:
    relation = CategoryRelationship(2, 3)
    head = scene("co_tuning", source_classes=3).phase.companions[0]
    relation.learn(head, np.zeros((4, 6), np.float32), np.zeros(4, np.int32))
    assert relation.table.numpy()[1].tolist() == [0, 0, 0]


def test_it_trains_backbone_and_both_heads_but_not_the_relation() -> None:
    here = scene("co_tuning", source_classes=4)
    assert len(here.reached()) == 4  # two names, twice: both heads' layers are called alike
    source_head, _ = here.phase.companions
    trained = {id(v) for group in here.phase.groups for v in group.variables}
    assert {id(v) for v in source_head.trainable_variables} < trained
    assert here.phase.source_head is source_head
