"""Whatever becomes of the broker, jobs end: it only says when to look for work."""

import os
import signal
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from app import broker
from app.cli.supervisor import free_port
from app.settings import Settings
from tests.system.service import Service, images, job_spec, running, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.name != "posix", reason="SIGSTOP is a thing of Unix"),
]

RESTARTS = 2


def add_dataset(service: Service, folder: Path) -> str:
    upload = folder / "letters.npz"
    upload.write_bytes(images(classes=3, per_class=30, seed=1))
    return service.client.datasets.wait(service.client.datasets.upload([upload]).id, 60).id


def submit(service: Service, dataset: str) -> str:
    changes = {"training": {"epochs": 2, "batch_size": 16, "min_steps": 0, "augmentation": None}}
    return service.client.jobs.submit(job_spec(dataset, dataset, **changes)).id


def must_end_well(service: Service, job: str) -> None:
    def ended() -> bool:
        return service.client.jobs.get(job).status in {"succeeded", "failed"}

    wait_for(ended, 60, f"{job} has not ended")
    assert service.client.jobs.get(job).status == "succeeded"


def restart_broker(service: Service, folder: Path) -> None:
    """kill -9, and back when `ktl up` has started it again."""
    service.children("valkey")[0].kill()
    settings = Settings(data_dir=folder / "data")
    wait_for(lambda: not broker.alive(settings), 10, "the broker lives")
    wait_for(lambda: broker.alive(settings), 30, "the broker has not come back")


def test_a_broker_that_dies_stops_no_worker(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        dataset = add_dataset(service, tmp_path)
        must_end_well(service, submit(service, dataset))

        path = str(Settings(data_dir=tmp_path / "data").broker_socket)
        with redis.Redis(unix_socket_path=path) as connection:
            assert all(c["sub"] == c["psub"] == "0" for c in connection.client_list())

        worker = service.worker()
        assert worker
        # All that may read from the broker finds it gone, and a new one, at once.
        stopped = [worker, *service.children("worker.process.lookout")]
        assert len(stopped) == 2
        for process in stopped:
            process.send_signal(signal.SIGSTOP)
        restart_broker(service, tmp_path)
        for process in stopped:
            process.send_signal(signal.SIGCONT)
        must_end_well(service, submit(service, dataset))

        jobs = []
        for _ in range(RESTARTS):
            jobs.append(submit(service, dataset))
            restart_broker(service, tmp_path)
        for job in jobs:
            must_end_well(service, job)
        assert service.worker() == worker  # it has lived through all of it


def test_jobs_end_with_the_broker_absent_and_deaf(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "KTL_BROKER_URL": f"redis://127.0.0.1:{port}/0",
        "KTL_LOOK_INTERVAL_SECONDS": "0.5",
    }
    with ExitStack() as stack:
        service = stack.enter_context(running(tmp_path, ready="/healthz", **environment))
        dataset = add_dataset(service, tmp_path)
        job = submit(service, dataset)
        wait_for(service.worker_children, 10, "no children")[0].kill()  # they are still replaced
        must_end_well(service, job)

        deaf = stack.enter_context(socket.create_server(("127.0.0.1", port)))
        stack.enter_context(deaf.accept()[0])  # somebody has called, and is never answered
        must_end_well(service, submit(service, dataset))
