"""Strategies for columns of tables, and what is said where there is nothing for them to do."""

from typing import Any

import pytest

from app.datasets.schemas import Schema
from app.inputs.columns import CategoryColumn, Column, NumberColumn
from app.inputs.table import TableInputs
from app.spec.applicability import applicable, obstacle
from app.spec.backbones import Mlp
from app.spec.resolution import resolve
from app.spec.sources import SourceFacts
from app.tasks.classification import Classification
from tests.spec.refusals import DIGITS, HIDDEN, OF_TABLES, SCHEMA, found, refusal, spec

AGE = NumberColumn(name="age", edges=tuple(map(float, range(17))), misses=False)
PULSE = AGE.model_copy(update={"name": "pulse"})
CITY = CategoryColumn(name="city", values=("Rome", "Oslo"), misses=False, others=False)


def table(*columns: Column) -> Schema:
    return Schema(
        inputs=TableInputs(columns=columns),
        task=Classification(classes=("well", "ill")),
        splits={"train": 100, "test": 50},
        class_counts={"train": (50, 50), "test": (25, 25)},
    )


def facts(*columns: Column) -> SourceFacts:
    return SourceFacts(table(*columns))


@pytest.mark.parametrize("name", OF_TABLES)
def test_pictures_have_no_columns(name: str) -> None:
    problem = refusal(spec(strategies=[name]), DIGITS, target=SCHEMA)
    assert found(problem) == ("not_a_table", ["#/strategies/0"])
    assert f"{name}: expected tables as source and target" in problem.detail


@pytest.mark.parametrize(
    ("name", "source", "target", "code"),
    [
        ("domain_scaling", [CITY, AGE], [CITY, PULSE], "no_shared_numbers"),
        (
            "domain_scaling",
            [AGE.model_copy(update={"edges": (3.0,)})],
            [AGE],
            "no_shared_numbers",
        ),
        (
            "domain_scaling",
            [AGE],
            [AGE.model_copy(update={"edges": (), "misses": True})],
            "no_shared_numbers",
        ),
        ("pseudo_features", [AGE, PULSE], [AGE], "no_lacking_column"),
        (
            "pseudo_features",
            [AGE],
            [AGE, PULSE.model_copy(update={"edges": ()})],
            "no_lacking_column",
        ),
        (
            "pseudo_features",
            [AGE],
            [AGE, *(PULSE.model_copy(update={"name": f"p{n}"}) for n in range(65))],
            "too_many_lacking_columns",
        ),
    ],
)
def test_columns_that_give_them_nothing_to_do(
    name: str, source: list[Column], target: list[Column], code: str
) -> None:
    problem = refusal(spec(strategies=[name]), facts(*source), target=table(*target))
    assert found(problem) == (code, ["#/strategies/0"])


@pytest.mark.parametrize("name", OF_TABLES)
def test_a_model_has_no_rows_to_write_anew(name: str) -> None:
    model = SourceFacts(table(AGE), Mlp(backbone="mlp"))
    target = table(AGE, PULSE)
    job = spec().model_copy(update={"sources": (spec().sources[0],)})
    assert (obstacle(name, job, [model], target) or ("", ""))[0] == "needs_source_data"


@pytest.mark.parametrize("target", [{"dataset": "ds_9"}, HIDDEN], ids=["labels", "none"])
def test_both_can_run_with_labels_and_without(target: dict[str, Any]) -> None:
    job = spec(strategies=OF_TABLES, target=target, model={"backbone": "mlp"})
    resolved, _ = resolve(job, [facts(AGE, CITY)], table(AGE, PULSE))
    assert [each.name for each in resolved.strategies] == OF_TABLES
    assert {*OF_TABLES} <= {*applicable(job, [facts(AGE, CITY)], table(AGE, PULSE))}


def test_adabn_says_what_scales_a_table() -> None:
    beside = {"dataset": "ds_9", "use_unlabelled": True}
    job = spec(strategies=["adabn"], target=beside, model={"backbone": "tabm"})
    problem = refusal(job, facts(AGE), target=table(AGE))
    code, (first, *_) = found(problem)
    assert (code, first) == ("needs_batch_norm", "#/strategies/0")
    assert "`domain_scaling`" in problem.detail


def test_auto_leaves_them_out() -> None:
    job = spec(strategies=["auto"], model={"backbone": "mlp"})
    resolved, _ = resolve(job, [facts(AGE, CITY)], table(AGE, PULSE))
    (arm,) = resolved.strategies
    names = {each.name for each in getattr(arm, "portfolio", (arm,))}
    assert names.isdisjoint(OF_TABLES)
