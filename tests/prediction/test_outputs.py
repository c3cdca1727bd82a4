"""Probabilities that are not finite are refused; the others are written as labels."""

import numpy as np
import pytest

from app.errors import Invalid
from app.prediction.inputs import Place
from app.prediction.outputs import check_finite
from app.prediction.protocols import native_answers
from app.prediction.protocols.native_answers import PLAIN
from tests.prediction.loaded import loaded


@pytest.mark.parametrize("rows", [1, 7])
def test_few_probabilities_are_answered_as_many_are(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal ones too, of which the first is the best."""
    scores = np.random.default_rng(0).dirichlet(np.ones(5), rows).astype(np.float32)
    scores[0] = [0.1, 0.4, 0.1, 0.4, 0.0]
    model = loaded((1,), 5)
    few = PLAIN.piece(model, scores)
    monkeypatch.setattr(native_answers, "FEW", 0)
    assert PLAIN.piece(model, scores) == few
    assert few.startswith(b'{"label":"1","score":0.4')


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("classes", [5, 2000])
@pytest.mark.parametrize(
    ("place", "pointer"),
    [
        (Place(), "#/inputs/12"),
        (Place("#/instances", member="/inputs"), "#/instances/12/inputs"),
        (Place("#/inputs/0/data", flat=(4, 4, 1)), "#/inputs/0/data/192"),
    ],
)
def test_probabilities_that_are_not_finite_are_refused(
    wrong: float, classes: int, place: Place, pointer: str
) -> None:
    scores = np.full((3, classes), 1 / classes, np.float32)
    check_finite(scores, place)
    scores[2, 4] = wrong
    with pytest.raises(Invalid) as raised:
        check_finite(scores, place, first_row=10)
    assert raised.value.findings[0].pointer == pointer
