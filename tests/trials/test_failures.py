"""What goes wrong around a trial, as a typed reason."""

import errno
import os

import pytest
import tensorflow as tf

from app.errors import FailureCode
from tests.trials.conftest import AddDataset
from tests.trials.jobs import submit
from worker.process import duty
from worker.process.workplace import Workplace
from worker.trials.failures import as_failure

PROGRAM = "/data/cache/xla/program.pb.tmp; {} [Op:__inference_f_10]"  # XLA keeps it on disk


@pytest.mark.parametrize(
    ("kind", "number", "code"),
    [
        (tf.errors.ResourceExhaustedError, errno.ENOSPC, FailureCode.DISK_FULL),
        (tf.errors.ResourceExhaustedError, errno.EDQUOT, FailureCode.DISK_FULL),
        (tf.errors.PermissionDeniedError, errno.EROFS, FailureCode.STORAGE_FAILED),
        (tf.errors.NotFoundError, errno.ENOENT, FailureCode.STORAGE_FAILED),
    ],
)
def test_tensorflows_errors_of_files_are_no_lack_of_memory(
    kind: type[tf.errors.OpError], number: int, code: FailureCode
) -> None:
    assert as_failure(kind(None, None, PROGRAM.format(os.strerror(number)))).code is code


def test_a_lack_of_memory_stays_one() -> None:
    error = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor [8,8]")
    assert as_failure(error).code is FailureCode.OUT_OF_MEMORY


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_store_that_fails_in_a_search_says_nothing_of_its_candidates(
    place: Workplace, add_dataset: AddDataset
) -> None:
    """The search fails for the store's reason; it does not choose among what is left."""
    eager = place.settings.model_copy(update={"checkpoint_interval_seconds": 0})
    place = Workplace(eager, place.database, place.storage, place.slots, place.is_draining)
    changes = {"evaluation": {"seeds": 5}, "training": {"epochs": 30, "min_steps": 0}}
    submit(place, [{"dataset": add_dataset(1)}], add_dataset(2), strategies=["auto"], **changes)
    trials = {}
    while trial := duty._claim(place, "worker"):
        trials[trial.role] = trial
        if trial.role == "search":
            break
        duty._run(place, trial)
    checkpoints = place.settings.home / "store" / "checkpoints"
    checkpoints.rename(checkpoints.with_name("aside"))
    checkpoints.write_text("in the way")
    duty._run(place, trials["search"])
    with place.database.read() as session:
        ended = session.get_one(type(trials["search"]), trials["search"].id)
    assert (ended.status, ended.error and ended.error["failure"]) == ("failed", "storage_failed")
