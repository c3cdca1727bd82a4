"""A user's way through the service, over HTTP, with real processes."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from app.client import ApiError
from tests.system.service import Service, images, job_spec, running, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="module")
def datasets(service: Service, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A source and a target of the same patterns; the target has few items."""
    folder, ids = tmp_path_factory.mktemp("uploads"), []
    for name, per_class, seed in (("source", 200, 1), ("target", 40, 2)):
        path = folder / f"{name}.npz"
        path.write_bytes(images(classes=4, per_class=per_class, seed=seed))
        ids.append(service.client.datasets.wait(service.client.datasets.upload([path]).id).id)
    return ids[0], ids[1]


def long_job(datasets: tuple[str, str], **changes: Any) -> dict[str, Any]:
    return job_spec(
        *datasets,
        training={"epochs": 20_000, "batch_size": 16, "min_steps": 0, "augmentation": None},
        evaluation={"seeds": 1},
        **changes,
    )


def when_training(service: Service, job_id: str) -> None:
    def trains() -> bool:
        return any(trial.epochs for trial in service.client.jobs.metrics(job_id).trials)

    wait_for(trains, 60, "no epoch has been recorded")


def test_from_post_to_prediction(service: Service, datasets: tuple[str, str]) -> None:
    client = service.client
    spec = job_spec(
        *datasets,
        strategies=["fine_tune", "lp_ft", "linear_probe"],
        target={"dataset": datasets[1], "labels_per_class": 5},
        deploy={"name": "patterns", "when": "always"},
    )
    job = client.jobs.wait(client.jobs.submit(spec).id)
    assert job.status == "succeeded", job.error
    assert job.progress == 1
    assert job.trials == {"succeeded": 1 + 2 * 4}
    report = client.jobs.report(job.id)
    assert set(report.arms) == {"scratch", "fine_tune", "lp_ft", "linear_probe"}
    metrics = client.jobs.metrics(job.id, arm="fine_tune")
    assert [len(trial.epochs) for trial in metrics.trials] == [10, 10]
    assert "fine_tune" in client.jobs.metrics_csv(job.id)
    kinds = [event.kind for event in client.jobs.events(job.id)]
    assert kinds[-3:] == ["report", "deployment", "status"]

    model = client.models.get(job.models[0])
    assert model.card["arm"] in report.arms
    with np.load(_upload_again(4, 40, 2)) as arrays:
        x, y = arrays["x_test"], arrays["y_test"]
    outputs = wait_for(
        lambda: _predictions(service, "patterns", x), 20, "the deployment does not become ready"
    )
    right = np.mean(
        [output["label"] == str(label) for output, label in zip(outputs, y, strict=True)]
    )
    stated = model.card["test"]["accuracy"]
    assert right == pytest.approx(stated, abs=1e-6)


def _upload_again(classes: int, per_class: int, seed: int) -> Any:
    import io

    return io.BytesIO(images(classes, per_class, seed))


def _predictions(service: Service, name: str, x: np.ndarray) -> list[Any] | None:
    try:
        outputs = service.client.deployments.predict(name, x).outputs
    except ApiError as problem:
        if problem.status != 503:
            raise
        return None
    return [output.model_dump() for output in outputs]


def test_cancel_frees_the_worker(service: Service, datasets: tuple[str, str]) -> None:
    client = service.client
    job_id = client.jobs.submit(long_job(datasets)).id
    when_training(service, job_id)
    assert client.jobs.cancel(job_id).status == "cancelled"
    quick = client.jobs.submit(job_spec(*datasets, evaluation={"seeds": 1})).id
    wait_for(lambda: client.jobs.get(quick).status == "running", 10, "the worker is not free")
    assert client.jobs.wait(quick).status == "succeeded"
    assert client.jobs.get(job_id).status == "cancelled"


def test_pause_lets_go_of_the_worker_and_resume_goes_on(
    service: Service, datasets: tuple[str, str]
) -> None:
    client = service.client
    spec = job_spec(
        *datasets,
        training={"epochs": 400, "min_steps": 0, "augmentation": None},
        evaluation={"seeds": 1},
    )
    job_id = client.jobs.submit(spec).id
    when_training(service, job_id)
    assert client.jobs.pause(job_id).status == "paused"

    def let_go() -> bool:
        return "running" not in client.jobs.get(job_id).trials

    wait_for(let_go, 10, "the trial is still running")
    told = sum(len(t.epochs) for t in client.jobs.metrics(job_id).trials)
    assert client.jobs.wait(client.jobs.submit(job_spec(*datasets)).id).status == "succeeded"
    assert sum(len(t.epochs) for t in client.jobs.metrics(job_id).trials) == told
    client.jobs.resume(job_id)
    assert client.jobs.wait(job_id).status == "succeeded"
    assert [len(t.epochs) for t in client.jobs.metrics(job_id).trials] == [800, 800, 800]


def test_metrics_do_not_depend_on_kills_and_pauses(
    service: Service, datasets: tuple[str, str]
) -> None:
    client = service.client
    spec = job_spec(
        *datasets,
        training={"epochs": 300, "min_steps": 0, "augmentation": None},
        evaluation={"seeds": 1},
    )
    undisturbed = client.jobs.wait(client.jobs.submit(spec).id).id
    disturbed = client.jobs.submit(spec).id
    when_training(service, disturbed)
    for child in service.worker_children():
        child.kill()
    time.sleep(1)
    client.jobs.pause(disturbed)
    time.sleep(1)
    client.jobs.resume(disturbed)
    assert client.jobs.wait(disturbed).status == "succeeded"

    def story(job_id: str) -> list[Any]:
        return [
            (t.arm, t.test, [{**e, "seconds": None} for e in t.epochs])
            for t in client.jobs.metrics(job_id).trials
            if t.arm != "pretrain"  # the second job takes the first one's over
        ]

    assert story(disturbed) == story(undisturbed)


def test_a_job_on_a_dataset_that_could_not_be_read_is_refused(
    service: Service, datasets: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "broken.npz"
    path.write_bytes(images(4, 40, 3)[:-200])
    dataset = service.client.datasets.upload([path])
    wait_for(
        lambda: service.client.datasets.get(dataset.id).status == "failed", 20, "it was not refused"
    )
    with pytest.raises(ApiError) as caught:
        service.client.jobs.submit(job_spec(datasets[0], dataset.id))
    assert caught.value.status == 422
    assert caught.value.errors[0]["pointer"] == "#/target/dataset"


def test_sigterm_drains_and_leaves_nothing_running(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        path = tmp_path / "letters.npz"
        path.write_bytes(images(4, 200, 1))
        dataset = service.client.datasets.wait(service.client.datasets.upload([path]).id).id
        job_id = service.client.jobs.submit(long_job((dataset, dataset))).id
        when_training(service, job_id)
        below = psutil.Process(service.process.pid).children(recursive=True)
        service.process.terminate()
        assert service.process.wait(60) == 0
        _, alive = psutil.wait_procs(below, timeout=5)
        assert not alive
    with running(tmp_path) as service:
        (pretrain, *_) = service.client.jobs.trials(job_id)
        assert pretrain.attempt <= 1  # a drain is no failed attempt
        epochs = len(service.client.jobs.metrics(job_id).trials[0].epochs)
        wait_for(
            lambda: len(service.client.jobs.metrics(job_id).trials[0].epochs) > epochs,
            60,
            "it did not go on",
        )
        service.client.jobs.cancel(job_id)
