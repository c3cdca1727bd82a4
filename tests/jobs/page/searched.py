"""A report whose settings were searched for, made by hand."""

from app.spec.report import Forgetting, Report
from app.spec.source_report import Search
from tests.jobs.page.examples import interval, report


def searched() -> Report:
    """lp_ft was chosen by two rungs; fine_tune's network then forgot its source."""
    tried = {
        "params": {"backbone_rate": 0.1},
        "learning_rate": 0.003,
        "weight_decay": None,
        "epochs": None,
        "rung": 0,
        "share": 0.25,
        "folds": 2,
        "loss": 0.9,
        "seconds": 3.5,
    }
    search = Search(
        arm="auto",
        labels_per_class=5,
        seed=0,
        chosen={
            "strategy": {"name": "lp_ft", "params": {}},
            "learning_rate": 0.003,
            "weight_decay": None,
            "epochs": 30,
        },
        reason="lp_ft: accuracy 0.700 on 40 held-out items",
        tried=[
            tried | {"strategy": "lp_ft", "score": 0.7, "dropped": None},
            tried | {"strategy": "l2_sp", "score": None, "dropped": "0.100 ± 0.020 behind lp_ft"},
        ],
        scores={"leep": -1.31, "probe": 0.62, "knn": None},
        seconds=12.0,
    )
    untried = search.model_copy(
        update={
            "scores": None,
            "arm": "scratch",
            "chosen": {"strategy": None, "learning_rate": None},
            "tried": [],
        }
    )
    arms = dict(report().arms)
    cost = arms["lp_ft"].cost.model_copy(update={"search": 12.0})
    kept = Forgetting(
        before=interval(0.991, 0.001, 5),
        after=interval(0.845, 0.02, 5),
        change=interval(-0.146, 0.02, 5),
    )
    arms["lp_ft"] = arms["lp_ft"].model_copy(update={"cost": cost, "forgetting": kept})
    return report(arms=arms, searches=[search, untried])
