"""The code of each way to train, by the names of app.jobs.strategies.CATALOGUE."""

from app.jobs.plan import PRETRAIN
from app.jobs.strategies import BASELINE
from worker.strategies import (
    co_tuning,
    distill,
    fine_tune,
    l2_sp,
    linear_probe,
    lp_ft,
    multi_task,
    pretrain,
    scratch,
)
from worker.strategies.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    PRETRAIN: pretrain.phases,
    BASELINE: scratch.phases,
    "linear_probe": linear_probe.phases,
    "fine_tune": fine_tune.phases,
    "lp_ft": lp_ft.phases,
    "l2_sp": l2_sp.phases,
    "co_tuning": co_tuning.phases,
    "distill": distill.phases,
    "multi_task": multi_task.phases,
}
