"""Reports on several sources, made by hand."""

from typing import Any

from app.spec.report import Report
from app.spec.source_report import RankingQuality, SourceRank, Transferability
from tests.jobs.page.examples import interval, report


def ranking(measured: bool = False) -> Report:
    """Of two sources, the second a model without its data."""
    found = Transferability(
        headline="letters suits best",
        reason="logme 0.5200, the next 0.3300 (digits); 3 of 4 scores put it first",
        ranked_by="logme",
        ranking=[
            SourceRank(
                source=2,
                reference="mdl_2",
                name="letters",
                scores={"leep": -0.41, "logme": 0.52, "h_score": None, "knn": 0.91, "probe": 0.9},
                domain_distance=None,
                measured=interval(0.662, 0.016, 5) if measured else None,
                best_arm="lp_ft@2" if measured else None,
            ),
            SourceRank(
                source=1,
                reference="ds_1",
                name="digits",
                doubt="its labels look like noise: right on 0.11 of 143 held-out items",
                scores={"leep": -0.77, "logme": 0.33, "h_score": 3.1, "knn": 0.85, "probe": 0.8},
                domain_distance={"proxy_a_distance": 1.25, "mmd": 0.0625},
                measured=interval(0.601, 0.016, 5) if measured else None,
                best_arm="fine_tune@1" if measured else None,
            ),
        ],
        quality={"logme": RankingQuality(kendall_tau=1.0, weighted_tau=None, regret=0.0)}
        if measured
        else None,
    )
    bare: dict[str, Any] = {
        "verdict": "no_evidence",
        "reason": f"{found.headline}: {found.reason}",
        "baseline": None,
        "winner": None,
        "winner_seed": None,
        "arms": {},
        "learning_curve": [],
        "test_items": 0,
    }
    known: dict[str, Any] = {} if measured else bare
    return report().model_copy(update=known | {"transferability": found})
