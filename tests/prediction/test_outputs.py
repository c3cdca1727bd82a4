"""Probabilities become labels and scores, or a problem."""

import numpy as np
import pytest

from app.errors import Invalid
from app.prediction import answers
from app.prediction.batching import Batcher
from app.prediction.inputs import Asked
from app.prediction.served import Loaded
from app.prediction.sessions import Session


@pytest.mark.parametrize("rows", [1, 7])
def test_few_probabilities_are_answered_as_many_are(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal ones too, of which the first is the best."""
    scores = np.random.default_rng(0).dirichlet(np.ones(5), rows).astype(np.float32)
    scores[0] = [0.1, 0.4, 0.1, 0.4, 0.0]
    session = Session(None, (1,), 8, 8)
    loaded = Loaded("mdl_1", tuple("abcde"), None, None, session, Batcher(session))
    asked = Asked([], 0, 1, None, False)
    few = answers.outputs_of(loaded, scores, asked)
    monkeypatch.setattr(answers, "FEW", 0)
    assert answers.outputs_of(loaded, scores, asked) == few
    assert few.startswith(b'{"label":"b","score":0.4')


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("classes", [5, 2000])
def test_probabilities_that_are_not_finite_are_refused(wrong: float, classes: int) -> None:
    scores = np.full((3, classes), 1 / classes, np.float32)
    scores[2, 4] = wrong
    session = Session(None, (1,), 8, 8)
    labels = tuple(map(str, range(classes)))
    loaded = Loaded("mdl_1", labels, None, None, session, Batcher(session))
    with pytest.raises(Invalid) as raised:
        answers.outputs_of(loaded, scores, Asked([], 0, 1, None, False), at=10)
    assert raised.value.findings[0].pointer == "#/inputs/12"
