"""The same job on the same machine trains to the same weights as when kept.json was written."""

from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest

from app.spec.strategy_catalogue import CATALOGUE
from tests.bits.jobs import CONVNETS, JOBS, MLPS, OTHERS, Job
from tests.bits.kept import Kept, Today, train
from tests.bits.marks import Marks, disagreement, marks_of

TABLES = {"shared_numbers", "lacking_columns"}  # needs of strategies for tables alone
OTHER_ARMS = {
    "pretrain",
    "scratch",
    "source_only",
    "target_supervised",
    "search of auto",
    "score@1",
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "jobs",
    [
        pytest.param(MLPS, id="mlp"),
        pytest.param(CONVNETS, id="convnet", marks=pytest.mark.slow),
        pytest.param(OTHERS, id="others", marks=pytest.mark.slow),
    ],
)
def test_jobs_train_to_the_bits_that_are_kept(jobs: dict[str, Job]) -> None:
    kept, today = Kept.read(), train(jobs)
    assert kept.complaints(today) == []
    assert kept.lost(jobs, today) == []
    if today.machine not in kept.machines:
        pytest.skip(f"the numbers agree, and no digests are kept of this machine: {today.machine}")


def test_every_way_of_training_is_kept_for_both_networks() -> None:
    """But for those of tables alone, which tests/trials/test_rewritten_sources.py trains twice."""
    kept = Kept.read()
    arms = {name.partition(": ")[2].partition(",")[0] for name in kept.numbers}
    for_pictures = {name for name, entry in CATALOGUE.items() if not TABLES & {*entry.needs}}
    assert arms >= {*for_pictures, *OTHER_ARMS}
    for_all = {name for name in for_pictures if "pairs" not in CATALOGUE[name].needs}
    for network in ("mlp", "convnet"):
        own = {name.partition(": ")[2] for name in kept.numbers if name.startswith(network)}
        assert {arm.partition(",")[0] for arm in own} >= {*for_all, "scratch", "pretrain"}
    assert {name.partition(": ")[0] for name in kept.numbers} == {*JOBS}
    assert kept.machines
    assert all(digests.keys() <= kept.numbers.keys() for digests in kept.machines.values())


def _marks(change: float = 0.0) -> Marks:
    weights = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    weights[0, 0] += change
    return marks_of([weights], {"test": weights.sum(0)}, {"score": 0.5, "seconds": 3.0})


def test_a_change_beyond_rounding_is_seen_on_any_machine() -> None:
    kept = Kept()
    kept.add(Today("this", "pictures", {"job: arm": _marks()}))
    for machine in ("this", "another"):
        assert kept.complaints(Today(machine, "pictures", {"job: arm": _marks()})) == []
        [said] = kept.complaints(Today(machine, "pictures", {"job: arm": _marks(0.01)}))
        assert "norm" in said
        assert len(kept.complaints(Today(machine, "others", {"job: arm": _marks()}))) == 1
        assert len(kept.complaints(Today(machine, "pictures", {"job: new": _marks()}))) == 1
    assert kept.lost(["job"], Today("this", "pictures", {})) == ["job: arm"]


def test_a_last_bit_is_seen_on_the_same_machine_alone() -> None:
    kept, moved = Kept(), _marks(np.finfo(np.float32).eps)
    kept.add(Today("this", "pictures", {"job: arm": _marks()}))
    assert disagreement(_marks().numbers, moved.numbers) == ""
    [said] = kept.complaints(Today("this", "pictures", {"job: arm": moved}))
    assert "digests" in said
    assert kept.complaints(Today("another", "pictures", {"job: arm": moved})) == []


def test_the_arms_of_a_job_differ_beyond_rounding() -> None:
    """So that on any machine an arm that is trained as another is seen."""
    alike: dict[tuple[str, str], list[tuple[str, list[float]]]] = defaultdict(list)
    for name, numbers in Kept.read().numbers.items():
        if outputs := numbers.get("norm and wave of test"):
            job, _, trial = name.partition(": ")
            arm, _, how = trial.partition(", ")
            alike[job, how].append((arm, outputs))
    assert len(alike) > len(JOBS)
    for job, arms in alike.items():
        for (one, outputs), (other, others) in combinations(arms, 2):
            assert disagreement({"test": outputs}, {"test": others}), (job, one, other)
