"""Seconds that trials would take on the machine of calibration.py, before any has run. Pure.

A trial takes `once` seconds, more where it is the first of its arm and compiles, and its optimizer
steps. A step with the source's items costs twice, a step of a head on cached features a tenth.
"""

from collections.abc import Sequence

from app.datasets.schemas import Schema
from app.spec.calibration import once, seconds_per_step
from app.spec.plan import Kind, PlannedTrial, trained_items
from app.spec.references import NETWORK
from app.spec.spec import ResolvedSpec
from app.spec.strategies import AutoArm, Strategy
from app.spec.strategy_catalogue import batches_of_step
from app.spec.strategy_params import LinearProbeParams

HEAD_STEP_COST = 0.1  # of a step of the head on cached features, over one of the network
SEARCH_OVER_TRAINING = 1.3  # what a search may cost over all trainings of the arm that it is for
SCORE_SECONDS = 2.0  # of a source's features; nothing is trained
REFERENCE_SECONDS = 1.0  # no network is built
NETWORK_SECONDS = 40.0  # of the one over characters: 500 steps of 64 texts of usual length


def planned_seconds(
    spec: ResolvedSpec,
    trials: Sequence[PlannedTrial],
    steps: Sequence[int],
    sources: Sequence[Schema],
    target: Schema,
) -> list[float]:
    """Planned seconds of each trial. `steps`: of each, at most (plan.py)."""
    shape = spec.model.seen(target.inputs.layout)
    fixed = once(spec.model.backbone)
    kinds: dict[Kind, float] = {}
    seen: set[tuple[str, str]] = set()
    found = []
    for trial, count in zip(trials, steps, strict=True):
        if trial.kind not in kinds:
            items = trained_items(trial, spec, sources, target)
            batch = min(spec.training.batch_size, items)
            step = seconds_per_step(spec.model, shape, batch, target.inputs.tokens)
            kinds[trial.kind] = _whole_steps(trial, count, items, spec) * step + _extra(trial)
        if trial.role == "reference":
            is_network = spec.references[trial.arm].model == NETWORK
            found.append(NETWORK_SECONDS if is_network else REFERENCE_SECONDS)
            continue
        arm = trial.role, trial.arm
        began = fixed.again if arm in seen else fixed.first
        seen.add(arm)
        found.append(began + kinds[trial.kind])
    return found


def _whole_steps(trial: PlannedTrial, steps: int, items: int, spec: ResolvedSpec) -> float:
    """The same work in steps of the whole network on one domain."""
    arm = spec.arms.get(trial.arm)
    if arm is None or trial.role == "score":
        return float(steps)
    seeds = spec.evaluation.seeds if trial.role == "search" else 1
    epoch_steps = -(-items // spec.training.batch_size)
    head = min(steps, seeds * _head_epochs(arm.strategy) * epoch_steps)
    batches = _batches(arm.strategy, spec.target.takes_unlabelled)
    cost = HEAD_STEP_COST * head + (steps - head) * batches
    return SEARCH_OVER_TRAINING * cost if trial.role == "search" else cost


def _head_epochs(strategy: Strategy | AutoArm) -> int:
    if isinstance(strategy, AutoArm):
        return max(_head_epochs(each) for each in strategy.portfolio)
    params = strategy.params
    return params.max_epochs if isinstance(params, LinearProbeParams) else 0


def _batches(strategy: Strategy | AutoArm, beside_labels: bool) -> int:
    tried = strategy.portfolio if isinstance(strategy, AutoArm) else (strategy,)
    return max(batches_of_step(each, beside_labels) for each in tried)


def _extra(trial: PlannedTrial) -> float:
    return SCORE_SECONDS if trial.role == "score" else 0.0
