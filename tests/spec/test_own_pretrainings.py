"""Pretrainings that an arm has for itself, because it has the source's rows otherwise."""

from app.spec.plan import is_pretraining, plan, rewriting_of, sources_of
from tests.spec.test_plan import spec


def test_an_arm_that_writes_rows_anew_has_a_pretraining_of_its_own() -> None:
    job = spec(
        sources=[{"dataset": "ds_1"}, {"dataset": "ds_3"}],
        combine="each",
        strategies=[{"name": "fine_tune"}, {"name": "domain_scaling"}],
        evaluation={"seeds": 1},
    )
    trials = plan(job)
    arms = [trial.arm for trial in trials if trial.role == "pretrain"]
    own = ["pretrain_domain_scaling@1", "pretrain_domain_scaling@2"]
    assert arms == ["pretrain@1", "pretrain@2", *own]
    starts = {t.arm: trials[t.depends_on].arm for t in trials if t.depends_on is not None}
    assert starts["fine_tune@2"] == "pretrain@2"
    assert starts["domain_scaling@2"] == own[1]
    assert [sources_of(job, arm) for arm in own] == [(0,), (1,)]
    assert [rewriting_of(job, arm) for arm in (*own, "domain_scaling@1")] == ["moments"] * 3
    assert {rewriting_of(job, arm) for arm in ("pretrain@1", "fine_tune@1", "scratch")} == {None}
    assert all(is_pretraining(arm) for arm in arms)
    assert not any(is_pretraining(arm) for arm in ("fine_tune@1", "score@1", "scratch"))
