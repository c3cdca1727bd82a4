"""Features by which an audit compares texts: which runs of characters they have, in 50 numbers."""

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from app.inputs.text import TEXT, texts_of
from worker.inputs.text_folding import folded
from worker.training.items import Items

RUNS, MOST_RUNS = (1, 3), 2**14
COMPONENTS, SEED = 50, 0


def text_features(items: Items) -> NDArray[np.float32]:
    """(n, d) of n > 0 texts, each of length 1 where it shares a run with others."""
    texts = texts_of(folded(np.asarray(items.read()[TEXT], np.int32)))
    runs = TfidfVectorizer(
        analyzer="char",
        ngram_range=RUNS,
        max_features=MOST_RUNS,
        lowercase=False,
        sublinear_tf=True,
        dtype=np.float32,
    )
    x = runs.fit_transform(texts)
    components = min(COMPONENTS, min(x.shape) - 1)
    if components < 1:
        return np.asarray(x.todense(), np.float32)
    found = TruncatedSVD(components, random_state=SEED).fit_transform(x)
    return np.asarray(normalize(found), np.float32)
