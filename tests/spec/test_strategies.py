"""The catalogue says everything that a client must know of a strategy."""

from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from app.spec.strategies import (
    BASELINE,
    SOURCE_ONLY,
    SUPERVISED,
    Auto,
    FineTune,
    LpFt,
    Strategy,
    StrategyChoice,
)
from app.spec.strategy_catalogue import CATALOGUE, Need, StrategyEntry

choice: TypeAdapter[StrategyChoice] = TypeAdapter(StrategyChoice)


def test_every_strategy_that_a_job_may_name_is_in_the_catalogue_once() -> None:
    assert {entry.choice for entry in CATALOGUE.values()} == set(get_args(Strategy))
    assert len(CATALOGUE) == len(get_args(Strategy))
    assert not {BASELINE, SOURCE_ONLY, SUPERVISED, "auto", "pretrain"} & set(CATALOGUE)


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=str)
def test_an_entry_is_whole(entry: StrategyEntry) -> None:
    assert choice.validate_python(entry.name) == entry.choice(name=entry.name)
    assert entry.summary
    assert set(entry.needs) <= set(get_args(Need))
    assert entry.params_schema["additionalProperties"] is False
    for name, parameter in entry.params_schema["properties"].items():
        assert "description" in parameter, name
        assert "default" in parameter, name


def test_a_name_alone_takes_the_papers_parameters() -> None:
    assert choice.validate_python("lp_ft") == LpFt(name="lp_ft")
    assert choice.validate_python("auto") == Auto(name="auto")
    given = choice.validate_python({"name": "fine_tune", "params": {"backbone_rate": 0.5}})
    assert isinstance(given, FineTune)
    assert given.params.backbone_rate == 0.5


@pytest.mark.parametrize(
    "bad",
    [
        "scratch",
        "",
        7,
        {},
        {"params": {}},
        {"name": "fine_tune", "params": {"backbone_rate": 0}},
        {"name": "fine_tune", "params": {"backbone_rate": "quick"}},
        {"name": "fine_tune", "extra": 1},
        {"name": "auto", "params": {}},
    ],
)
def test_what_is_no_strategy_is_refused(bad: object) -> None:
    with pytest.raises(ValidationError):
        choice.validate_python(bad)
