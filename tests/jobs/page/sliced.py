"""A report by two columns, made by hand."""

from app.spec.intervals import Bounds
from app.spec.reference_report import ReferenceArm
from app.spec.report import Report
from app.spec.slice_report import Slice, SliceArm, SliceValue, WorstSlice
from tests.jobs.page.examples import report

FOREST = "forest_on_target"
SENTENCE = "By <hospital>, lp_ft is worst for a <b> c: accuracy 0.5100 on 40 test items."


def sliced() -> Report:
    """By hospital, of which one value has labels all alike; and by sex, which has too few items."""
    arms = report().arms
    whole = {name: SliceArm(metrics=arm.metrics, gain=arm.gain) for name, arm in arms.items()}
    alike = {
        name: SliceArm(metrics={"accuracy": arm.metrics["accuracy"]}, gain=None)
        for name, arm in arms.items()
    }
    forest = {FOREST: whole["lp_ft"]}
    hospital = Slice(
        column="<hospital>",
        values=[
            SliceValue(value="budapest", items=2500, arms=whole, references=forest),
            SliceValue(value="a <b> c", items=40, arms=whole, references=forest),
            SliceValue(value="(other)", items=60, arms=alike, references={FOREST: alike["lp_ft"]}),
        ],
        too_few={"basel": 15, "bern": 10},
        worst=WorstSlice(
            value="a <b> c",
            items=40,
            arm="lp_ft",
            mean=0.51,
            rest=0.67,
            difference=Bounds(low=-0.3, high=-0.02),
            is_clear=True,
        ),
        sentence=SENTENCE,
    )
    sex = Slice(column="sex", values=[], too_few={"f": 3}, worst=None, sentence="By sex nothing.")
    metrics, gain = arms["lp_ft"].metrics, arms["lp_ft"].gain
    reference = ReferenceArm(metrics=metrics, validation=None, gain=gain, seconds=1)
    return report(slices=[hospital, sex], references={FOREST: reference})
