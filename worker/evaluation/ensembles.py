"""What an ensemble of an arm's seeds does with the test items, beside these seeds alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.spec.ensemble_report import DistilledReport, EnsembleGain, EnsembleReport
from app.spec.report import Report
from app.spec.spec import ResolvedSpec
from worker.evaluation.arrays import Floats
from worker.evaluation.evidence import TrialResult, gather
from worker.evaluation.gains import improvement
from worker.evaluation.measures.contract import Labels, Measures
from worker.evaluation.served_arm import served_arm
from worker.evaluation.statistics import percentile_interval


@dataclass(frozen=True)
class Averaging:
    """`warnings`: why nothing is averaged, where the job asks for it."""

    report: EnsembleReport | None = None
    warnings: list[str] = field(default_factory=list)


def averaging_of(
    report: Report, spec: ResolvedSpec, trials: Sequence[TrialResult], measures: Measures
) -> Averaging:
    """Averages the seeds of what is packaged, where the job asks for it.

    Args:
        report: all but its ensemble.
    """
    arm = served_arm(report, spec)
    if spec.deploy is None or spec.deploy.ensemble == "none" or arm is None:
        return Averaging()
    own = spec.target.budget
    if arm in spec.references:
        said = f"no ensemble: {arm}, which is served, is a model without a network, and one alone"
        return Averaging(warnings=[said])
    members = sorted(
        (t for t in trials if t.is_arm(arm, own) and not t.error and t.logits_test is not None),
        key=lambda trial: trial.seed,
    )
    if len(members) < 2:
        return Averaging(warnings=[f"no ensemble: fewer than two seeds of {arm} have results"])
    evidence = gather(trials, (arm,), own, measures).get(arm)
    if evidence and evidence.replicates.replication == "one_network":
        return Averaging(warnings=[f"no ensemble: all seeds of {arm} are one network"])
    single = _single(report, spec, arm, members, measures)
    outputs = [t.logits_test for t in members if t.logits_test is not None]
    whole, y = measures.averaged(outputs), members[0].y_test
    found: dict[str, EnsembleGain] = {}
    if y is not None:
        alone = outputs[[t.seed for t in members].index(single)]
        beside = {"over_mean": outputs, "over_single": [alone]}
        found = {name: gain_of(y, whole, each, spec, measures) for name, each in beside.items()}
    return Averaging(
        EnsembleReport(
            kind=spec.deploy.ensemble,
            arm=arm,
            seeds=[t.seed for t in members],
            metrics=measures.measure(y, whole) if y is not None else {},
            single_seed=single,
            over_mean=found.get("over_mean"),
            over_single=found.get("over_single"),
            sentence=_sentence(spec, _whole(spec, arm, len(members)), single, found),
        )
    )


def _single(
    report: Report,
    spec: ResolvedSpec,
    arm: str,
    members: Sequence[TrialResult],
    measures: Measures,
) -> int:
    """The seed that would be served alone."""
    if arm == report.winner and report.winner_seed is not None:
        return report.winner_seed
    name = spec.evaluation.primary_metric
    held_out = {
        t.seed: measures.measure(t.y_validation, t.logits_validation)[name]
        for t in members
        if t.y_validation is not None and t.logits_validation is not None and len(t.y_validation)
    }
    best = max(held_out, key=lambda seed: spec.metric.sign * held_out[seed], default=None)
    return members[0].seed if best is None else best


def gain_of(
    y: Labels, whole: Floats, others: list[Floats], spec: ResolvedSpec, measures: Measures
) -> EnsembleGain:
    """Gain of an ensemble's outputs `whole` (n, K) over the mean of `others`, in the primary
    metric."""
    name, metric = spec.evaluation.primary_metric, spec.metric
    same = [whole] * len(others)  # resampling is of as many networks on either side
    resampled = metric.sign * measures.resample(y, same, others, name, spec.seed)
    low, high = percentile_interval(resampled, spec.evaluation.confidence)
    values = [measures.measure(y, each)[name] for each in others]
    ours = measures.measure(y, whole)[name]
    mean = float(improvement([ours] * len(values), values, metric).mean())
    return EnsembleGain(mean=mean, low=low, high=high)


@dataclass(frozen=True, eq=False)
class Student:
    """Network that has learnt the mean of the seeds: on so many training items, in so many seconds;
    `outputs` (n, K) are of the test items."""

    outputs: Floats
    items: int
    seconds: float


def distilled_report(
    ensemble: EnsembleReport,
    student: Student,
    y: Labels | None,
    members: Sequence[Floats],
    spec: ResolvedSpec,
    measures: Measures,
) -> DistilledReport:
    """Holds the student against the seeds alone and against their mean.

    Args:
        y: labels of the test items, (n,); None without any.
        members: outputs (n, K) of each seed of `ensemble`, in its order.
    """
    found: dict[str, EnsembleGain] = {}
    said = f"One network has learnt that mean on {student.items} training items without labels"
    metrics: dict[str, float] = {}
    if y is not None:
        single = members[ensemble.seeds.index(ensemble.single_seed)]
        beside = {
            "over_mean": [*members],
            "over_single": [single],
            "over_average": [measures.averaged([*members])],
        }
        metrics = measures.measure(y, student.outputs)
        found = {
            name: gain_of(y, student.outputs, others, spec, measures)
            for name, others in beside.items()
        }
    sentence = _sentence(spec, said, ensemble.single_seed, found)
    if found:
        sentence += f"; {_held(spec, found['over_average'])} the mean itself"
    return DistilledReport(
        items=student.items,
        seconds=student.seconds,
        metrics=metrics,
        over_mean=found.get("over_mean"),
        over_single=found.get("over_single"),
        over_average=found.get("over_average"),
        sentence=f"{sentence}. Its training took {student.seconds:.3g} s",
    )


def _whole(spec: ResolvedSpec, arm: str, members: int) -> str:
    whole = f"The mean of what {members} seeds of {arm} answer is what"
    is_learnt = spec.deploy is not None and spec.deploy.ensemble == "distill"
    return f"{whole} one network learns, which is packaged" if is_learnt else f"{whole} is packaged"


def _held(spec: ResolvedSpec, gain: EnsembleGain) -> str:
    """`better by 0.0100 [+0.0020, +0.0180] than`; a loss is called one."""
    low, high = (spec.metric.shown(value, signed=True) for value in (gain.low, gain.high))
    amount = spec.metric.shown(abs(gain.mean))
    if amount == spec.metric.shown(0.0):
        return f"equal [{low}, {high}] to"
    return f"{'better' if gain.mean > 0 else 'worse'} by {amount} [{low}, {high}] than"


def _sentence(spec: ResolvedSpec, said: str, single: int, found: dict[str, EnsembleGain]) -> str:
    if not found:
        return f"{said}; what it brings is not known: the test items have no labels"
    level = f"{100 * spec.evaluation.confidence:g} %"
    over_mean, over_single = (_held(spec, found[name]) for name in ("over_mean", "over_single"))
    return (
        f"{said}: by {spec.metric.label} it is {over_mean} its seeds on the mean, and "
        f"{over_single} seed {single}, which would be served alone ({level} intervals of the "
        "improvement over test items, with these networks)"
    )
