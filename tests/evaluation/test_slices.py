"""Arms by the values of a column, against counts made by hand."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import t, ttest_ind

from app.spec.references import PlannedReference
from app.spec.report import Report
from app.spec.spec import ResolvedSpec
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from tests.evaluation.made_up import COUNTS, ITEMS, TASK, spec, trial
from worker.evaluation.evidence import TrialResult
from worker.evaluation.report import build_report

HOSPITALS = ("va", "budapest", "zürich")
CODES = np.repeat([0, 1, 2], [40, 350, 10])  # of the 400 items


def answers(y: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Logits (n, 4) of an arm that is right on these items and says the next class elsewhere."""
    return 2 * np.eye(4, dtype=np.float32)[(y + ~right) % 4]


def sliced(
    arm: str,
    rights: Sequence[np.ndarray],
    codes: np.ndarray = CODES,
    values: Sequence[str] = HOSPITALS,
    y: np.ndarray | None = None,
) -> list[TrialResult]:
    """A trial per seed, right on the items of `rights`."""
    y = np.arange(ITEMS) % 4 if y is None else y
    held: dict[str, Any] = {
        "slice_codes": codes.astype(np.int16)[:, None],
        "slice_values": np.array(values),
        "slice_sizes": np.array([len(values)]),
    }
    return [
        trial(arm, seed, 0.5, y_test=y, logits_test=answers(y, right), **held)
        for seed, right in enumerate(rights)
    ]


def share(of: int, items: int = ITEMS, start: int = 0) -> np.ndarray:
    """(400,): right on `of` items from `start` on, of so many."""
    right = np.zeros(items, bool)
    right[start : start + of] = True
    return right


def right_in(va: int, rest: int) -> np.ndarray:
    """Right on so many of the first 40 items and of the other 360."""
    return share(va) | share(rest, start=40)


def by_hospital(seeds: int = 2, **changes: Any) -> ResolvedSpec:
    return spec(seeds=seeds, slices=["hospital"], **changes)


def report(of: ResolvedSpec, *trials: list[TrialResult]) -> Report:
    return build_report(of, [each for arm in trials for each in arm], TASK, COUNTS)


def test_metrics_and_gains_are_those_of_the_values_items() -> None:
    found = report(
        by_hospital(),
        sliced("scratch", [right_in(10, 300), right_in(12, 300)]),
        sliced("fine_tune", [right_in(20, 330), right_in(22, 330)]),
    )
    (by,) = found.slices
    assert by.column == "hospital"
    assert [(each.value, each.items) for each in by.values] == [("budapest", 350), ("va", 40)]
    va = by.values[1].arms
    assert va["fine_tune"].metrics["accuracy"].mean == pytest.approx(21 / 40)
    assert va["scratch"].metrics["accuracy"].mean == pytest.approx(11 / 40)
    assert va["scratch"].gain is None
    gain = va["fine_tune"].gain
    assert gain
    assert gain.mean == pytest.approx(10 / 40)
    assert gain.bootstrap.low < 10 / 40 < gain.bootstrap.high
    assert gain.overall
    assert gain.overall.low <= gain.low <= gain.high <= gain.overall.high  # type: ignore[operator]
    # All classes are alike in the whole, and the sums of both values are those of all items.
    whole = found.arms["fine_tune"].metrics["accuracy"].mean
    rest = by.values[0].arms["fine_tune"].metrics["accuracy"].mean
    assert whole == pytest.approx((21 + 330) / 400)
    assert rest == pytest.approx(330 / 350)


def test_rare_values_are_said_and_not_measured_alone() -> None:
    arms = [
        sliced("scratch", [right_in(10, 300)] * 2),
        sliced("fine_tune", [right_in(20, 330)] * 2),
    ]
    (by,) = report(by_hospital(), *arms).slices
    assert by.too_few == {"zürich": 10}
    assert "The 10 test items of one value with fewer than 20 are not measured." in by.sentence
    codes = np.repeat([0, 1, 2, 3], [40, 335, 15, 10])
    many = ("va", "budapest", "zürich", "basel")
    arms = [
        sliced("scratch", [right_in(10, 300)] * 2, codes, many),
        sliced("fine_tune", [right_in(20, 330)] * 2, codes, many),
    ]
    (by,) = report(by_hospital(), *arms).slices
    assert [(each.value, each.items) for each in by.values] == [
        ("budapest", 335),
        ("va", 40),
        ("(other)", 25),
    ]
    assert by.too_few == {"zürich": 15, "basel": 10}
    assert "The 25 test items of 2 values with fewer than 20 are taken together" in by.sentence


def test_the_worst_value_is_named_with_an_interval_by_hand() -> None:
    right = right_in(20, 330)
    (by,) = report(
        by_hospital(seeds=1), sliced("scratch", [right_in(10, 300)]), sliced("fine_tune", [right])
    ).slices
    worst = by.worst
    assert worst
    assert (worst.value, worst.items, worst.arm) == ("va", 40, "fine_tune")
    assert (worst.mean, worst.rest) == (pytest.approx(20 / 40), pytest.approx(330 / 360))
    assert worst.is_clear
    # Welch's interval, but for half an item: of two values at 1 - .05 / 2.
    plain = ttest_ind(
        right[:40].astype(float), right[40:].astype(float), equal_var=False
    ).confidence_interval(0.975)
    assert worst.difference.low == pytest.approx(plain.low, abs=0.005)
    assert worst.difference.high == pytest.approx(plain.high, abs=0.005)
    assert "By hospital, fine_tune is worst for va: accuracy 0.5000 on 40 test items" in by.sentence
    assert "more than chance would bring" in by.sentence
    assert "Its gain over scratch there is +0.2500" in by.sentence


def test_what_chance_may_bring_is_said_so() -> None:
    (by,) = report(
        by_hospital(seeds=1),
        sliced("scratch", [right_in(10, 300)]),
        sliced("fine_tune", [right_in(32, 300)]),
    ).slices
    assert by.worst
    assert not by.worst.is_clear
    assert "which chance alone may bring" in by.sentence


def test_a_value_is_no_worse_than_the_others_where_all_are_alike() -> None:
    right = right_in(40, 360)
    arms = [sliced(name, [right] * 2) for name in ("scratch", "fine_tune")]
    (by,) = report(by_hospital(), *arms).slices
    assert by.worst
    assert not by.worst.is_clear
    assert by.sentence.startswith(
        "By hospital, fine_tune is no worse for any value than for the others: accuracy 1.0000."
    )


def test_the_worst_by_auc_may_be_better_than_the_others_together() -> None:
    """Each hospital's items are told apart well, but on scales of their own: together they are told
    apart badly, and nobody is clearly worst."""
    rng, task = np.random.default_rng(0), Classification(classes=("ill", "well"))
    codes, y = np.repeat([0, 1, 2], [100, 150, 150]), np.arange(ITEMS) % 2
    scores = 2 * y + np.array([0, -20, 20])[codes] + rng.normal(0, 1, ITEMS)
    trials = [
        replace(each, y_test=y, logits_test=np.stack([0 * scores, scores], axis=1), **_nothing())
        for name in ("scratch", "fine_tune")
        for each in sliced(name, [right_in(0, 0)] * 2, codes)
    ]
    (by,) = build_report(by_hospital(primary_metric="auc"), trials, task, (200, 200)).slices
    assert by.worst
    assert by.worst.mean > by.worst.rest
    assert by.worst.difference.low > 0
    assert not by.worst.is_clear
    assert "so the others taken together are no better" in by.sentence


def test_one_item_of_a_class_makes_no_value_clearly_worse() -> None:
    """39 items of a, all right, and one of b, a wrong one: balanced accuracy .5, where the others
    have 1. No item deviates from its class, so that what one more of each class would add is all
    there is of variance: (.5 + .5 / 39²) / 2² here."""
    y = np.concatenate([np.repeat([0, 1], [39, 1]), np.arange(360) % 2])
    right = np.arange(ITEMS) != 39
    arms = [sliced(name, [right], y=y) for name in ("scratch", "fine_tune")]
    (by,) = report(by_hospital(seeds=1, primary_metric="balanced_accuracy"), *arms).slices
    assert by.worst
    assert (by.worst.mean, by.worst.rest, by.worst.is_clear) == (0.5, 1.0, False)
    assert "which chance alone may bring" in by.sentence
    spread = np.sqrt((0.5 + 0.5 / 39**2) / 4)
    assert by.worst.difference.high == pytest.approx(-0.5 + t.ppf(0.9875, 39) * spread, abs=0.01)


def test_one_item_is_one() -> None:
    codes = np.repeat([0, 1, 2], [40, 359, 1])
    arms = [sliced(name, [right_in(10, 300)] * 2, codes) for name in ("scratch", "fine_tune")]
    (by,) = report(by_hospital(), *arms).slices
    assert by.sentence.endswith("The 1 test item of one value with fewer than 20 is not measured.")


def test_one_value_is_compared_with_nothing() -> None:
    one = np.zeros(ITEMS)
    (by,) = report(
        by_hospital(),
        sliced("scratch", [right_in(10, 300)] * 2, one, ["va"]),
        sliced("fine_tune", [right_in(20, 330)] * 2, one, ["va"]),
    ).slices
    assert by.worst is None
    assert by.sentence.startswith("By hospital nothing can be compared")
    assert by.values[0].arms["fine_tune"].metrics["accuracy"].mean == pytest.approx(350 / 400)


def test_p_values_are_corrected_for_all_slices_together() -> None:
    arms = [
        sliced("scratch", [right_in(10, 300), right_in(12, 302), right_in(11, 299)]),
        sliced("fine_tune", [right_in(20, 330), right_in(22, 331), right_in(19, 333)]),
    ]
    (by,) = report(by_hospital(seeds=3), *arms).slices
    gains = [each.arms["fine_tune"].gain for each in by.values]
    p_values = sorted(gain.p_value for gain in gains if gain and gain.p_value is not None)
    corrected = sorted(gain.p_holm for gain in gains if gain and gain.p_holm is not None)
    assert corrected[0] == pytest.approx(2 * p_values[0])


def test_labels_all_alike_have_no_metric_that_needs_others() -> None:
    y = np.concatenate([np.zeros(40, int), np.arange(360) % 4])
    arms = [
        sliced("scratch", [right_in(10, 300)] * 2, y=y),
        sliced("fine_tune", [right_in(20, 330)] * 2, y=y),
    ]
    (by,) = report(by_hospital(primary_metric="f1_macro"), *arms).slices
    va = by.values[1].arms["fine_tune"]
    assert va.metrics.keys() == {"accuracy", "loss", "ece"}
    assert va.gain is None
    assert by.worst is None


def test_of_an_error_the_highest_is_the_worst() -> None:
    task = Regression(unit="g", mean=0, std=1)
    y = np.random.default_rng(0).normal(size=ITEMS).astype(np.float32)
    off = np.where(CODES == 0, 3.0, 1.0)
    held = sliced("fine_tune", [right_in(0, 0)] * 2)
    trials = [
        replace(each, y_test=y, logits_test=(y + off)[:, None].astype(np.float32), **_nothing())
        for each in held
    ]
    of = ResolvedSpec.model_validate(
        by_hospital(primary_metric="mae").model_dump() | {"task": "regression"}
    )
    (by,) = build_report(of, trials, task, (ITEMS,)).slices
    assert by.worst
    assert (by.worst.value, by.worst.mean) == ("va", pytest.approx(3, rel=1e-4))
    assert by.worst.rest == pytest.approx(1, rel=1e-4)


def _nothing() -> dict[str, Any]:
    """No validation items."""
    return {"y_validation": None, "logits_validation": None}


def test_a_job_without_slices_has_none_and_differing_ones_are_an_error() -> None:
    arms = sliced("scratch", [right_in(10, 300)] * 2) + sliced("fine_tune", [right_in(20, 330)] * 2)
    assert report(spec(seeds=2), arms).slices == []
    arms[3] = replace(arms[3], slice_codes=arms[3].slice_codes[::-1])  # type: ignore[index]
    with pytest.raises(ValueError, match="the same slices in every trial"):
        report(by_hospital(), arms)


def test_models_without_a_network_stand_beside_the_arms_part_by_part() -> None:
    forest = PlannedReference(model="forest", rows="target")
    of = by_hospital(references=[forest.model_dump()])
    right = sliced(forest.arm, [right_in(5, 340), right_in(7, 340)])
    found = report(
        of,
        sliced("scratch", [right_in(10, 300), right_in(12, 300)]),
        sliced("fine_tune", [right_in(20, 330), right_in(22, 330)]),
        [replace(each, role="reference") for each in right],
    )
    (by,) = found.slices
    budapest, va = (each.references[forest.arm] for each in by.values)
    assert va.metrics["accuracy"].mean == pytest.approx(6 / 40)
    assert (budapest.gain and budapest.gain.mean) == pytest.approx(-10 / 350)
    assert (va.gain and va.gain.mean) == pytest.approx((21 - 6) / 40)
    # Corrected together: two gains over the baseline, two over the forest.
    every = [each.arms["fine_tune"].gain for each in by.values] + [budapest.gain, va.gain]
    least = min((gain for gain in every if gain), key=lambda gain: gain.p_value or 1)
    assert least.p_holm == pytest.approx(min(1, 4 * (least.p_value or 1)))
    assert forest.arm not in by.values[0].arms
