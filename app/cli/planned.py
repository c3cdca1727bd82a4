"""A job's plan for a person: what it would train, and how long that may take."""

from collections import defaultdict
from collections.abc import Sequence
from json import dumps

from app.cli import output
from app.cli.progress import duration
from app.jobs.schemas import PlannedTrialOut, ValidationOut
from app.spec.plan import PRETRAIN

BASIS = {
    "shipped": "as on another machine: nothing with this backbone was trained here yet",
    "measured": "by what was trained here before",
}
HEADERS = ("role", "arm", "trials", "labels per class", "steps each, at most", "time")


def show(plan: ValidationOut, each: bool = False) -> None:
    """A row for each role and arm, or for each trial; then choices, warnings and sums."""
    if each:
        output.print_table(
            ["role", "arm", "seed", *HEADERS[3:]],
            [(t.role, t.arm, t.seed, *_costs([t])) for t in plan.trials],
        )
    else:
        rows = [(*key, len(found), *_costs(found)) for key, found in _alike(plan.trials).items()]
        output.print_table(list(HEADERS), rows)
    for choice in plan.selection:
        output.out.print(f"{choice.field} = {choice.chosen}: {choice.reason}", markup=False)
    for source in plan.columns:
        for sentence in source.sentences:
            output.out.print(sentence, markup=False)
        if source.proposal:
            said = dumps(source.proposal, ensure_ascii=False)
            output.out.print(
                f"to match them: sources.{source.source - 1}.columns={said}", markup=False
            )
    for warning in plan.warnings:
        output.out.print(f"warning: {warning}", markup=False, style="yellow")
    time = f"about {duration(plan.estimated_seconds)}, one trial at a time"
    output.out.print(f"{len(plan.trials)} trials, at most {plan.steps:,} steps")
    output.out.print(f"time: {time} ({BASIS[plan.estimate_basis]})", markup=False)
    memory, parameters = plan.estimate.memory_bytes / 10**9, plan.estimate.parameters
    output.out.print(f"memory: up to {memory:.1f} GB a trial, for {parameters:,} parameters")


def _alike(trials: Sequence[PlannedTrialOut]) -> dict[tuple[str, str], list[PlannedTrialOut]]:
    found = defaultdict[tuple[str, str], list[PlannedTrialOut]](list)
    for trial in trials:
        found[trial.role, trial.arm].append(trial)
    return found


def _costs(trials: Sequence[PlannedTrialOut]) -> tuple[str, str, str]:
    budgets = dict.fromkeys(trial.labels_per_class for trial in trials)
    labels = ", ".join("all" if budget is None else str(budget) for budget in budgets)
    labels = "" if trials[0].role == PRETRAIN else labels
    steps = max(trial.steps for trial in trials)
    return labels, f"{steps:,}", duration(sum(trial.seconds for trial in trials))
