"""What a trial was computed by, from the engine to the report."""

from dataclasses import replace

import pytest
import tensorflow as tf

from app.database import Database
from app.jobs import events
from tests.trials import jobs
from tests.trials.conftest import AddDataset
from worker.machine.context import WorkerContext
from worker.machine.device import Device, standing_in
from worker.strategies import fine_tune
from worker.strategies.recipe import Batches
from worker.strategies.registry import RECIPES
from worker.training import program

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def told(database: Database, job_id: str) -> list[str]:
    with database.read() as session:
        found = events.after(session, job_id, 0, 500)
    return [event.data["code"] for event in found if event.kind == "warning"]


@pytest.mark.slow
def test_what_does_not_compile_is_told_at_once_and_in_the_report(
    context: WorkerContext, add_dataset: AddDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def uncompilable(*arguments: object) -> tuple[object, ...]:
        (phase,) = fine_tune.phases(*arguments)  # type: ignore[arg-type]

        def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            with tf.control_dependencies([tf.py_function(lambda: None, [], [])]):
                return phase.loss(batch, progress)

        return (replace(phase, loss=loss),)

    monkeypatch.setitem(RECIPES, "fine_tune", uncompilable)
    monkeypatch.setattr(program, "XLA_FROM_STEPS", dict.fromkeys(program.XLA_FROM_STEPS, 0))
    program.forget()
    changes = {
        "evaluation": {"seeds": 2},
        "training": {"epochs": 2, "min_steps": 0, "augmentation": None},
    }
    sources = [{"dataset": add_dataset(1)}]
    with standing_in(Device("gpu", "NVIDIA Stand-in", (9, 0))):
        job_id = jobs.submit(context, sources, add_dataset(2), strategies=["fine_tune"], **changes)
        job, trials = jobs.run(context, job_id)
    program.forget()
    assert {trial.status for trial in trials} == {"succeeded"}, [t.error for t in trials]
    report = jobs.report_of(job)
    (warning,) = [found for found in report.warnings if "without XLA" in found]
    assert warning.startswith("fine_tune (2 trials): phase finetune was trained without XLA")
    assert report.devices == ["5 trials on NVIDIA Stand-in in float32"]
    assert told(context.database, job.id) == ["otherwise_computed"] * 2
    loops = {trial.arm: trial.conditions["loops"] for trial in trials if trial.conditions}
    assert loops == {"pretrain": ["xla"], "scratch": ["xla"], "fine_tune": ["plain"]}
    assert "NVIDIA Stand-in" in jobs.page_of(context, job)
