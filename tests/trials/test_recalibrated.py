"""A report says what labels buy where nothing but a slope and biases of the source's network
move."""

from typing import Any

import pytest

from tests.trials.conftest import AddDataset
from tests.trials.jobs import page_of, report_of, run, submit
from tests.trials.test_class_orders import TURNED
from worker.machine.context import WorkerContext

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
SAME: dict[str, Any] = {
    "model": {"backbone": "mlp", "params": {"hidden": [6]}, "bottleneck": None},
    "training": {
        "epochs": 6,
        "batch_size": 16,
        "min_steps": 0,
        "label_smoothing": 0,
        "augmentation": None,
    },
}


def test_it_is_held_against_the_source_network_as_it_came(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    """Which a job without labels measures as `source_only`; the target has its classes in another
    order."""
    sources, target = [{"dataset": add_dataset(1)}], add_dataset(2, order=TURNED)
    plain, _ = run(
        context,
        submit(context, sources, target, strategies=["shot"], target_use_labels=False, **SAME),
    )
    source_only = report_of(plain).arms["source_only"].metrics["accuracy"].mean
    changes = {"strategies": ["recalibrate", "fine_tune"], "target_labels_per_class": 5, **SAME}
    job, _ = run(context, submit(context, sources, target, **changes))
    report = report_of(job)
    (told,) = report.recalibrated
    assert (told.arm, told.labels_per_class, told.labels) == ("recalibrate", 5, 15)
    assert told.before == pytest.approx(source_only)
    assert told.after == pytest.approx(report.arms["recalibrate"].metrics["accuracy"].mean)
    assert told.sentence in page_of(context, job).replace("&#39;", "'")
