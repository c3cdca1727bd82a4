"""The way on from a pretraining that an arm has for itself, on rows of the source that were written
anew: what makes the difference is in the weights that the trial starts from."""

from app.spec.strategy_params import FineTuneParams
from worker.backbones.network import Network
from worker.strategies import fine_tune, source_only
from worker.strategies.recipe import Phase, Setting


def phases(network: Network, params: FineTuneParams, setting: Setting) -> tuple[Phase, ...]:
    if setting.learns_labels:
        return fine_tune.phases(network, params, setting)
    return source_only.phases(network, None, setting)
