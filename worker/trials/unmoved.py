"""Outputs of the source's network as it came, where an arm moves next to nothing of it."""

from app.spec.strategy_catalogue import CATALOGUE
from app.storage import Storage
from worker.evaluation.predictions import Predictions
from worker.training.predict import outputs_of
from worker.training.program import program_of
from worker.training.setup import TrialSetup
from worker.trials.setup import target_test
from worker.trials.trial_data import TrialData


def unmoved(storage: Storage, setup: TrialSetup, data: TrialData) -> Predictions:
    """Outputs of the source's network on the target's test items, `logits_unmoved`, (n, K); nothing
    for a strategy that the report does not hold against it.

    The trial's network is the source's afterwards: what it has learnt is stored before.
    """
    strategy, source = data.strategy, setup.source_weights
    if strategy is None or source is None or not CATALOGUE[strategy.name].keeps_source:
        return {}
    program = program_of(setup)
    program.start_from(source, setup)
    return {"logits_unmoved": outputs_of(program.network, target_test(storage, data).items)}
