"""Setup of the engine for a job's trial: which recipe, with which final settings."""

from app.spec.plan import PRETRAIN, Role
from app.spec.spec import ResolvedSpec
from app.spec.strategies import BASELINE, Strategy
from app.spec.training import Training
from worker.training.data import Domain
from worker.training.setup import TrialSetup


def engine_setup(
    spec: ResolvedSpec,
    role: Role,
    strategy: Strategy | None,
    seed: int,
    target: Domain,
    training: Training | None = None,
) -> TrialSetup:
    """Makes the setup of a trial that starts from nothing.

    Args:
        strategy: of a transfer; None for every other role.
        target: what is trained on and validated: in a pretraining the source.
        training: with final epochs; None: as the job says.
    """
    return TrialSetup(
        recipe=_recipe(spec, role, strategy),
        params=strategy.params if strategy and role == "transfer" else None,
        model=spec.model,
        training=training or _as_said(spec.training, role),
        seed=seed,
        target=target,
        imbalance=spec.imbalance,
        label_noise=spec.label_noise,
        trials=1 if role == PRETRAIN else spec.evaluation.seeds,
    )


def _recipe(spec: ResolvedSpec, role: Role, strategy: Strategy | None) -> str:
    """What target labels would have brought is trained as the baseline is where there are some."""
    if strategy and role == "transfer":
        return strategy.name
    return {PRETRAIN: PRETRAIN, "baseline": spec.baseline_arm}.get(role, BASELINE)


def _as_said(training: Training, role: Role) -> Training:
    if role != PRETRAIN:
        return training
    return training.model_copy(update={"epochs": training.pretrain_epochs or training.epochs})
