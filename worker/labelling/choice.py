"""Choice of items to label next, by what a network makes of them: two rules for each task."""

from typing import Literal, assert_never

import numpy as np
from numpy.typing import NDArray

from app.tasks import Task
from app.tasks.regression import Regression
from worker.labelling.embeddings import Floats, embeddings_of
from worker.labelling.spread import Drawn, draw, from_nearest
from worker.labelling.typical import most_typical

Rule = Literal["typical", "doubtful", "unlike"]
UNTRIED: Rule = "typical"  # where no simulation can say which is better: that is, of few labels

METHODS: dict[Rule, str] = {
    "typical": "TypiClust (Hacohen et al., ICML 2022): the features of all items in as many "
    "clusters as there will be labels; of the largest without a label the most typical item each",
    "doubtful": "BADGE (Ash et al., ICLR 2020): k-means++ on what each label would change in the "
    "last layer, were the model's guess right, which draws items that the model is in doubt of and "
    "that differ from one another; what it is sure of counts as known",
    "unlike": "k-means++ on the model's features, which draws items that are unlike those with a "
    "label and unlike one another: of a quantity the model does not say where it is in doubt",
}


def rules_of(task: Task) -> tuple[Rule, Rule]:
    """Those that a simulation chooses from."""
    return ("typical", "unlike") if isinstance(task, Regression) else ("typical", "doubtful")


def choose(
    rule: Rule,
    task: Task,
    outputs: NDArray[np.floating],
    features: Floats,
    labelled: Floats,
    count: int,
    rng: np.random.Generator,
) -> Drawn:
    """Chooses `count` of n items without labels, the first one first.

    BADGE begins with the longest gradient; here the origin, an item without any doubt, is what is
    known at first, so that items that the network is sure of are never worth more than their doubt.

    Args:
        outputs: (n, K), before any activation.
        features: (n, d).
        labelled: features of the items that have a label, (m, d).
    """
    match rule:
        case "typical":
            return most_typical(features, labelled, count, rng)
        case "doubtful":
            vectors = embeddings_of(task, outputs, features)
            return draw(vectors, vectors.squares, count, rng)
        case "unlike":
            vectors = embeddings_of(task, outputs, features)
            known = labelled if len(labelled) else features.mean(axis=0, keepdims=True)
            return draw(vectors, from_nearest(vectors, known), count, rng)
    assert_never(rule)
