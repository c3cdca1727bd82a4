"""The reference for texts: which runs of characters tell classes, of whatever script."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from app.datasets.schemas import Schema
from app.inputs.text import TEXT, TextInputs, coded
from app.spec.references import PlannedReference, Rows, planned_references, reference_findings
from app.spec.sources import SourceFacts
from app.spec.spec import JobSpec
from app.spec.text_choices import SentenceEncoder
from app.spec.training import Training
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from worker.references.fitting import fitted
from worker.references.text_reference import TextReference
from worker.training.data import Domain, Split
from worker.training.items import Items
from worker.training.setup import Interrupted, Signal, TrialSetup

WORDS = {0: ["awful", "cold", "难吃"], 1: ["lovely", "warm", "好吃"]}
CLASSES = Classification(classes=("bad", "good"))
INPUTS = TextInputs(length=32)


def split_of(texts: list[str], y: np.ndarray) -> Split:
    return Split.stored(Items.of({TEXT: coded(texts, 32)}), y)


def some(items: int, seed: int) -> Split:
    rng = np.random.default_rng(seed)
    y = (np.arange(items) % 2).astype(np.int32)
    texts = [f"it was {rng.choice(WORDS[label])} {rng.integers(99)}" for label in y.tolist()]
    return split_of(texts, y)


def setup_of(target: Split, source: Split | None = None, task: Task = CLASSES) -> TrialSetup:
    schema = Schema(inputs=INPUTS, task=task, splits={}, class_counts={})
    empty = target.select(slice(0))
    other = Domain(schema, source, empty) if source else None
    domain = Domain(schema, target, empty)
    return cast(TrialSetup, SimpleNamespace(target=domain, source=other, seed=3))


@pytest.mark.parametrize("rows", ["target", "source", "both"])
def test_it_learns_from_the_rows_that_it_is_given(rows: Rows) -> None:
    setup = setup_of(some(40, 0), some(60, 1))
    found = fitted(PlannedReference(model="linear", rows=rows), setup)
    assert isinstance(found, TextReference)
    assert found.rows == {"target": 40, "source": 60, "both": 100}[rows]
    asked = split_of(["IT WAS LOVELY", "cold", "好吃！", "难吃"], np.array([1, 0, 1, 0], np.int32))
    outputs = found.outputs(asked)
    assert outputs.argmax(axis=1).tolist() == [1, 0, 1, 0]
    np.testing.assert_allclose(np.exp(outputs).sum(axis=1), 1, rtol=1e-5)


def test_texts_that_share_nothing_and_one_class_alone_are_answered() -> None:
    reference = PlannedReference(model="linear", rows="target")
    nothing = setup_of(split_of(["a", "b"], np.array([0, 1], np.int32)))
    assert np.isfinite(fitted(reference, nothing).outputs(some(4, 0))).all()
    one = setup_of(split_of(["fine", "fine"], np.array([1, 1], np.int32)))
    assert fitted(reference, one).outputs(some(4, 0)).argmax(axis=1).tolist() == [1] * 4


def test_quantities_are_learnt_by_ridge_regression() -> None:
    texts = ["good " * count for count in range(1, 7)] * 5
    y = np.tile(np.arange(1.0, 7.0), 5).astype(np.float32)
    setup = setup_of(split_of(texts, y), task=Regression(mean=3.5, std=2.0))
    answers = fitted(PlannedReference(model="linear", rows="target"), setup).answers(
        {TEXT: coded(texts[:6], 32)}
    )
    assert answers.shape == (6, 1)
    assert np.all(np.diff(answers[:, 0]) > 0)


def test_jobs_on_texts_have_it_by_habit_and_no_trees() -> None:
    schema = Schema(
        inputs=INPUTS,
        task=CLASSES,
        splits={"train": 4, "test": 2},
        class_counts={"train": (2, 2), "test": (1, 1)},
    )
    spec = {"sources": [{"dataset": "ds_a"}], "target": {"dataset": "ds_b"}}
    job = JobSpec.model_validate(spec)
    planned = planned_references(job, [SourceFacts(schema)], schema)
    assert [each.arm for each in planned] == [
        "linear_on_target",
        "linear_on_source",
        "linear_on_both",
    ]
    asked = JobSpec.model_validate({**spec, "evaluation": {"references": ["forest"]}})
    ((code, finding),) = reference_findings(asked, schema)
    assert (code, finding.pointer) == ("no_references", "#/evaluation/references")
    assert "texts, but for linear, charconv" in finding.detail


def test_a_network_over_characters_is_asked_for_by_name() -> None:
    schema = Schema(
        inputs=INPUTS,
        task=CLASSES,
        splits={"train": 4, "test": 2},
        class_counts={"train": (2, 2), "test": (1, 1)},
    )
    asked = {"evaluation": {"references": ["linear", "charconv"]}}
    job = {"sources": [{"dataset": "ds_a"}], "target": {"dataset": "ds_b"}, **asked}
    planned = planned_references(JobSpec.model_validate(job), [SourceFacts(schema)], schema)
    assert [each.arm for each in planned][-1] == "charconv_on_target"
    assert len(planned) == 4  # it learns from the target's rows alone
    job["target"] = {"dataset": "ds_b", "use_labels": False}
    ((code, finding),) = reference_findings(JobSpec.model_validate(job), schema)
    assert code == "no_references"
    assert "expected labels of the target for charconv" in finding.detail


@pytest.mark.slow
def test_a_network_over_characters_learns_what_the_arms_may() -> None:
    setup = TrialSetup(
        recipe="transfer",
        params=None,
        model=SentenceEncoder(backbone="sentence_encoder"),
        training=Training(weight_decay=0.3),
        seed=3,
        target=Domain(Schema(inputs=INPUTS, task=CLASSES, splits={}, class_counts={}),
                      some(64, 0), some(16, 1)),
    )  # fmt: skip
    found = fitted(PlannedReference(model="charconv", rows="target"), setup)
    assert found.rows == 64
    held_out = some(20, 2)
    assert found.outputs(held_out).argmax(axis=1).tolist() == held_out.y.tolist()
    with pytest.raises(Interrupted):
        fitted(PlannedReference(model="charconv", rows="target"), setup, lambda: Signal.STOP)
