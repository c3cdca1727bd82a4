"""Wishes to deploy that are refused before a job starts."""

import pytest

from app.spec.resolution import resolve
from tests.spec.test_spec import SCHEMA, SOURCES, pointers, refusal, spec


@pytest.mark.parametrize("ensemble", ["average", "distill"])
def test_one_seed_is_no_ensemble(ensemble: str) -> None:
    served = {"name": "letters", "when": "always", "ensemble": ensemble}
    problem = refusal(spec(evaluation={"seeds": 1}, deploy=served))
    assert (problem.code, pointers(problem)) == ("ensemble_needs_seeds", ["#/deploy/ensemble"])
    assert "expected at least 2 seeds for an ensemble, got 1: raise evaluation.seeds" in (
        problem.detail
    )
    resolve(spec(evaluation={"seeds": 2}, deploy=served), SOURCES, SCHEMA)
