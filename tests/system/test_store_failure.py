"""A store that fails in the middle of a job: a typed reason, and `retry` once it is put right."""

from pathlib import Path

import pytest

from tests.system.service import images, job_spec, running

pytestmark = pytest.mark.slow


def test_a_store_that_failed_and_was_put_right(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        path = tmp_path / "letters.npz"
        path.write_bytes(images(classes=4, per_class=40, seed=1))
        dataset = service.client.datasets.wait(service.client.datasets.upload([path]).id).id
        store = tmp_path / "data" / "store"
        weights, aside = store / "sha256", store / "aside"
        # What is stored stays readable, through links; nothing new can be stored.
        weights.rename(aside)
        weights.mkdir()
        for folder in aside.iterdir():
            (weights / folder.name).symlink_to(folder)
        for number in range(256):
            name = weights / f"{number:02x}"
            if not name.exists():
                name.write_text("in the way")
        job_id = service.client.jobs.submit(job_spec(dataset, dataset)).id
        job = service.client.jobs.wait(job_id)
        assert job.status == "failed"
        assert job.error is not None
        assert job.error.code == "storage_failed"
        for blocked in weights.iterdir():
            if blocked.is_file():
                blocked.unlink()
        service.client.jobs.retry(job_id)
        assert service.client.jobs.wait(job_id).status == "succeeded"
