"""Which source suits best, and how clear that is, in words."""

from typing import Any

from app.spec.intervals import Interval
from app.spec.source_report import SourceRank, Transferability
from app.tasks.classification import Classification
from worker.evaluation.ranking_words import in_words


def source(number: int, name: str, scores: dict[str, float | None], **more: Any) -> SourceRank:
    fields = {"domain_distance": None, "measured": None, "best_arm": None, **more}
    return SourceRank(source=number, reference=f"ds_{number}", name=name, scores=scores, **fields)


def words(*ranking: SourceRank) -> tuple[str, str]:
    found = Transferability(ranked_by="leep", ranking=list(ranking), quality=None)
    return in_words(found, "accuracy", Classification.metrics["accuracy"])


def measured(mean: float, spread: float, arm: str) -> dict[str, Any]:
    of = Interval(mean=mean, low=mean - spread, high=mean + spread, n=3)
    return {"measured": of, "best_arm": arm}


def test_most_scores_agree() -> None:
    assert words(
        source(1, "mnist", {"leep": -0.4, "logme": 0.2, "knn": 0.9}),
        source(2, "usps", {"leep": -0.8, "logme": 0.3, "knn": 0.8}),
    ) == ("mnist suits best", "LEEP -0.4000, the next -0.8000 (usps); 2 of 3 scores put it first")


def test_few_scores_agree() -> None:
    _, reason = words(
        source(1, "mnist", {"leep": -0.4, "logme": 0.2, "knn": 0.9}),
        source(2, "usps", {"leep": -0.8, "logme": 0.3, "knn": 0.9}),  # a tie is no vote
    )
    assert reason.endswith("1 of 3 scores put it first, so it is not clear")


def test_sources_that_tie() -> None:
    assert words(
        source(1, "mnist", {"leep": -0.4}),
        source(2, "usps", {"leep": -0.4}),
        source(3, "letters", {"leep": -0.9}),
    ) == ("mnist and usps suit equally well", "LEEP -0.4000 of each")


def test_a_doubtful_source_is_said_to_be_one() -> None:
    doubt = "its labels look like noise"
    headline, reason = words(
        source(1, "mnist", {"leep": -0.4}, doubt=doubt), source(2, "usps", {"leep": -0.8})
    )
    assert headline == "mnist suits best"
    assert reason.endswith("all scores put it first; but of mnist, its labels look like noise")
    _, reason = words(
        source(1, "mnist", {"leep": -0.4}), source(2, "usps", {"leep": -0.8}, doubt=doubt)
    )
    assert "noise" not in reason


def test_without_scores() -> None:
    bare = source(1, "mnist", {"leep": None})
    assert words(bare) == ("no source could be ranked", "none has a LEEP")
    assert words(source(2, "usps", {"leep": -0.5}), bare) == (
        "usps suits best",
        "LEEP -0.5000, the only one",
    )


def test_what_was_measured_decides() -> None:
    headline, reason = words(
        source(1, "mnist", {"leep": -0.4}, **measured(0.8, 0.02, "lp_ft@1")),
        source(2, "usps", {"leep": -0.8}, **measured(0.9, 0.02, "fine_tune@2")),
    )
    assert headline == "usps suits best"
    assert reason == (
        "fine_tune@2 reaches accuracy 0.9000, lp_ft@1 from mnist 0.8000; before any transfer LEEP "
        "had put mnist first"
    )


def test_measured_within_the_seeds_spread() -> None:
    headline, reason = words(
        source(1, "mnist", {"leep": -0.4}, **measured(0.9, 0.02, "lp_ft@1")),
        source(2, "usps", {"leep": -0.8}, **measured(0.89, 0.02, "lp_ft@2")),
    )
    assert headline == "mnist suits best, with no clear lead over usps"
    assert "which is within the spread over seeds" in reason
    assert reason.endswith("LEEP had put it first")


def test_one_seed_has_no_spread() -> None:
    one: dict[str, Any] = {"measured": Interval(mean=0.9, low=None, high=None, n=1)}
    headline, reason = words(
        source(1, "mnist", {"leep": -0.4}, **one, best_arm="lp_ft@1"),
        source(2, "usps", {"leep": -0.8}, **one, best_arm="lp_ft@2"),
    )
    assert headline == "mnist suits best"
    assert "with one seed each" in reason
