"""What is not tried because of the source's features."""

from app.spec.relation import Relation
from tests.search.arms import candidates
from worker.search.advice import SourceEvidence, ruled_out

ALL = candidates("lp_ft", "linear_probe", "co_tuning")
RELATED = Relation(told=0.5, by_chance=0.13, spread=0.02, p_value=0.01, entropy=2.3)
UNRELATED = Relation(told=0.14, by_chance=0.13, spread=0.02, p_value=0.3, entropy=2.3)


def evidence(probe: float | None = 0.9, relation: Relation | None = RELATED) -> SourceEvidence:
    return SourceEvidence(10, {"probe": probe}, relation)


def test_features_that_tell_nothing_are_not_probed() -> None:
    assert {each.name for each in ruled_out(ALL, evidence(0.14))} == {"linear_probe"}
    assert ruled_out(ALL, evidence(0.15)) == {}
    assert ruled_out(ALL, evidence(None)) == {}


def test_classes_that_tell_nothing_are_not_tuned_together() -> None:
    found = ruled_out(ALL, evidence(relation=UNRELATED))
    assert {each.name for each in found} == {"co_tuning"}
    assert "tell 0.14 nats" in next(iter(found.values()))
    assert "0.13 are told by chance" in next(iter(found.values()))
    assert ruled_out(ALL, evidence(relation=RELATED)) == {}
    assert ruled_out(ALL, evidence(relation=None)) == {}


def test_one_stays() -> None:
    alone = candidates("linear_probe", "co_tuning")
    kept = [each for each in alone if each not in ruled_out(alone, evidence(0.1, UNRELATED))]
    assert [each.name for each in kept] == ["linear_probe"]
