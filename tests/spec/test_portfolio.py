from dataclasses import replace

from app.spec.portfolio import EXPENSIVE_STEPS, Facts, Portfolio, portfolio
from app.spec.strategy_catalogue import CATALOGUE

FEW = Facts(items=50, classes=10, same_classes=False, source_data=True, target_labels=True)


def names(chosen: Portfolio) -> list[str]:
    return [strategy.name for strategy in chosen.strategies]


def test_few_labels() -> None:
    chosen = portfolio(FEW)
    assert names(chosen) == ["lp_ft", "fine_tune", "linear_probe", "l2_sp", "co_tuning"]
    assert chosen.excluded["distill"] == "source and target have different classes"
    assert chosen.excluded["multi_task"] == "5 are enough"


def test_of_rows_and_texts_what_keeps_the_sources_answers_is_first() -> None:
    same = replace(FEW, same_classes=True)
    first = ["distill", "recalibrate", "lp_ft"]
    for modality in ("table", "text"):
        assert names(portfolio(replace(same, modality=modality)))[:3] == first
        assert names(portfolio(replace(FEW, modality=modality)))[0] == "lp_ft"
    assert names(portfolio(same))[0] == "lp_ft"


def test_many_labels() -> None:
    chosen = portfolio(replace(FEW, items=50_000, same_classes=True))
    assert names(chosen) == ["lp_ft", "fine_tune", "distill", "co_tuning"]
    assert "5000 labels per class" in chosen.excluded["linear_probe"]


def test_expensive_trainings_are_few() -> None:
    chosen = portfolio(replace(FEW, items=5_000_000, steps=EXPENSIVE_STEPS))
    assert names(chosen) == ["lp_ft", "fine_tune", "co_tuning"]
    chosen = portfolio(replace(FEW, steps=EXPENSIVE_STEPS))
    assert names(chosen) == ["lp_ft", "fine_tune", "linear_probe"]
    assert (
        chosen.excluded["l2_sp"] == f"3 are enough where a training takes {EXPENSIVE_STEPS} steps"
    )


def test_without_labels() -> None:
    hidden = replace(FEW, items=5000, same_classes=True, target_labels=False)
    assert names(portfolio(hidden)) == ["mcc", "cdan", "shot", "adamatch", "dann"]
    assert names(portfolio(replace(hidden, source_data=False))) == ["shot"]
    assert names(portfolio(replace(hidden, steps=EXPENSIVE_STEPS))) == ["mcc", "cdan", "shot"]


def test_every_strategy_has_a_reason() -> None:
    for has_labels in (True, False):
        chosen = portfolio(replace(FEW, same_classes=True, target_labels=has_labels))
        need = "target_labels" if has_labels else "unlabelled_target"
        expected = {
            name
            for name, entry in CATALOGUE.items()
            if need in entry.needs and "pairs" not in entry.needs
        }
        assert {*chosen.included, *chosen.excluded} == expected
        assert all(name in chosen.reason for name in expected)


def test_pairs_of_parts() -> None:
    few, some, many = (portfolio(replace(FEW, pairs=pairs)) for pairs in (50, 500, 5000))
    assert few.excluded["modality_distill"].startswith("50 pairs of the source's parts are too few")
    assert names(some)[:2] == ["lp_ft", "modality_distill"]
    assert "2000 may pay" in some.excluded["contrastive"]
    assert names(many)[:3] == ["lp_ft", "modality_distill", "contrastive"]
