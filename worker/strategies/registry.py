"""The code of each way to train, by the names of app.spec.strategy_catalogue.CATALOGUE."""

from app.spec.strategies import BASELINE, SOURCE_ONLY
from worker.strategies import (
    adabn,
    adamatch,
    cdan,
    co_tuning,
    contrastive,
    coral,
    dann,
    distill,
    fine_tune,
    l2_sp,
    linear_probe,
    lp_ft,
    mcc,
    modality_distill,
    multi_task,
    pretrain,
    recalibrate,
    scratch,
    shot,
    source_only,
)
from worker.strategies.recipe import Recipe

RECIPES: dict[str, Recipe] = {
    "pretrain": pretrain.phases,
    BASELINE: scratch.phases,
    "linear_probe": linear_probe.phases,
    "fine_tune": fine_tune.phases,
    "lp_ft": lp_ft.phases,
    "l2_sp": l2_sp.phases,
    "co_tuning": co_tuning.phases,
    "distill": distill.phases,
    "multi_task": multi_task.phases,
    "modality_distill": modality_distill.phases,
    "contrastive": contrastive.phases,
    "recalibrate": recalibrate.phases,
    SOURCE_ONLY: source_only.phases,
    "adabn": adabn.phases,
    "coral": coral.phases,
    "dann": dann.phases,
    "cdan": cdan.phases,
    "mcc": mcc.phases,
    "shot": shot.phases,
    "adamatch": adamatch.phases,
}
