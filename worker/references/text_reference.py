"""The reference for texts: logistic or ridge regression on how often runs of characters come.

Each of the 50,000 commonest runs of one to five characters that two texts have counts
(1 + log tf) log((1 + n) / (1 + df)) + 1, and each text's counts have the length 1 (scikit-learn's
TF-IDF). It takes no notion of words, so it is the same for every language. Its graph would hold as
many numbers per text as there are runs: it is compared with, and not served.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from app.inputs.text import TEXT, texts_of
from app.spec.references import PlannedReference
from app.tasks.multi_label import MultiLabel
from app.tensors import Tensors
from worker.inputs.text_folding import folded
from worker.references.per_label import PerLabel
from worker.references.reference import ReferenceModel, training_rows
from worker.training.setup import TrialSetup

RUNS, MOST_RUNS, FEWEST_TEXTS = (1, 5), 50_000, 2
STRENGTH = 10.0  # C of the logistic regression, whose features are small
MOST_STEPS = 1000


@dataclass(frozen=True, eq=False)
class TextReference(ReferenceModel):
    """`runs`: the fitted counts; None where no two texts share any."""

    runs: TfidfVectorizer | None

    @classmethod
    def fit(cls, reference: PlannedReference, setup: TrialSetup) -> Self:
        """Fits on the training items, without those held out for validation."""
        taken = training_rows(reference, setup)
        texts = [text for split in taken.splits for text in _texts(split.items.read())]
        y = np.concatenate([split.y for split in taken.splits])
        runs = TfidfVectorizer(
            analyzer="char",
            ngram_range=RUNS,
            min_df=min(FEWEST_TEXTS, len(texts)),
            max_features=MOST_RUNS,
            lowercase=False,
            sublinear_tf=True,
            dtype=np.float32,
        )
        schema, tells = setup.target.schema, reference.rows == "both"
        with threadpool_limits(1):
            try:
                x = runs.fit_transform(texts)
            except ValueError:  # no run stands in two texts
                runs, x = None, sparse.csr_matrix((len(texts), 1), dtype=np.float32)
            if tells:
                x = _with_domain(x, np.repeat(taken.domains, [len(s) for s in taken.splits]))
            if isinstance(schema.task, MultiLabel):
                model: Any = PerLabel.fit(x, y, lambda blind: _model(True, runs is None or blind))
            else:
                is_blind = runs is None or len(np.unique(y)) < 2
                model = _model(schema.task.has_classes, is_blind).fit(x, y)
        return cls(model, schema, tells, x.shape[0], taken.of_rows, runs)

    def features(self, items: Tensors) -> Any:
        texts = _texts(items)
        if self.runs is None:
            x = sparse.csr_matrix((len(texts), 1), dtype=np.float32)
        else:
            x = self.runs.transform(texts)
        return _with_domain(x, np.ones(len(texts))) if self.tells_domains else x


def _texts(items: Tensors) -> list[str]:
    return texts_of(folded(np.asarray(items[TEXT], np.int32)))


def _with_domain(x: Any, domains: NDArray[Any]) -> Any:
    """Adds a column: 1 for items of the target."""
    column = sparse.csr_matrix(domains.astype(np.float32)[:, None])
    return sparse.hstack([x, column]).tocsr()


def _model(has_classes: bool, is_blind: bool) -> Any:
    if is_blind:
        return DummyClassifier() if has_classes else DummyRegressor()
    if has_classes:
        return LogisticRegression(C=STRENGTH, max_iter=MOST_STEPS)
    return Ridge()
