"""The code of each way to train, by the names of app.jobs.strategies.CATALOGUE."""

from app.jobs.plan import PRETRAIN
from app.jobs.strategies import BASELINE
from worker.strategies import fine_tune, linear_probe, lp_ft, pretrain, scratch
from worker.strategies.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    PRETRAIN: pretrain.phases,
    BASELINE: scratch.phases,
    "linear_probe": linear_probe.phases,
    "fine_tune": fine_tune.phases,
    "lp_ft": lp_ft.phases,
}
