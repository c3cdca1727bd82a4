"""What goes wrong around a trial, as a typed reason."""

import errno
import os

import pytest
import tensorflow as tf

from app.errors import FailureCode, WorkFailure
from app.spec.memory import LESS_MEMORY
from tests.trials.conftest import AddDataset
from tests.trials.jobs import submit
from worker.failures import as_failure, diverged, file_error
from worker.machine.context import WorkerContext
from worker.process import runner

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


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(errno.ENOSPC, "no space"), FailureCode.DISK_FULL, "no space"),
        (OSError(errno.EDQUOT, "quota"), FailureCode.DISK_FULL, "quota"),
        (PermissionError(errno.EACCES, "closed"), FailureCode.STORAGE_FAILED, "PermissionError"),
        (OSError("of no number"), FailureCode.STORAGE_FAILED, "of no number"),
        (MemoryError("8 GiB"), FailureCode.OUT_OF_MEMORY, LESS_MEMORY),
        (ValueError("a bug"), FailureCode.INTERNAL, "ValueError: a bug"),
    ],
)
def test_any_error_has_a_code_and_says_what_it_was(
    error: Exception, code: FailureCode, said: str
) -> None:
    failure = as_failure(error)
    assert failure.code is code
    assert said in failure.detail


def test_a_failure_stays_the_one_it_is() -> None:
    failure = WorkFailure(FailureCode.BUDGET, "spent", stage="training")
    assert as_failure(failure) is failure


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (OSError(errno.EROFS, "read-only"), errno.EROFS),
        (OSError("of no number"), errno.EIO),
        (tf.errors.UnknownError(None, None, PROGRAM.format(os.strerror(errno.EIO))), errno.EIO),
        (tf.errors.InvalidArgumentError(None, None, "shapes differ"), None),
        (ValueError(os.strerror(errno.ENOSPC)), None),  # these words are nobody's errno
    ],
)
def test_the_systems_number_is_found(error: Exception, number: int | None) -> None:
    assert file_error(error) == number


def test_what_diverged_is_said_with_what_to_try() -> None:
    failure = diverged("the loss is not finite", 0.2, "training")
    assert (failure.code, failure.stage) == (FailureCode.DIVERGED, "training")
    for words in ("the loss is not finite", "0.2", "try 0.02", "gradient_clip_norm"):
        assert words in failure.detail


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_store_that_fails_in_a_search_says_nothing_of_its_candidates(
    context: WorkerContext, add_dataset: AddDataset
) -> None:
    """The search fails for the store's reason; it does not choose among what is left."""
    eager = context.settings.model_copy(update={"checkpoint_interval_seconds": 0})
    context = WorkerContext(
        eager, context.database, context.storage, context.slots, context.is_draining
    )
    training = {"epochs": 30, "min_steps": 0, "augmentation": None}
    changes = {"evaluation": {"seeds": 5}, "training": training}
    submit(context, [{"dataset": add_dataset(1)}], add_dataset(2), strategies=["auto"], **changes)
    trials = {}
    while trial := runner._claim(context, "worker"):
        trials[trial.role] = trial
        if trial.role == "search":
            break
        runner._run(context, trial)
    checkpoints = context.settings.home / "store" / "checkpoints"
    checkpoints.rename(checkpoints.with_name("aside"))
    checkpoints.write_text("in the way")
    runner._run(context, trials["search"])
    with context.database.read() as session:
        ended = session.get_one(type(trials["search"]), trials["search"].id)
    assert (ended.status, ended.error and ended.error["failure"]) == ("failed", "storage_failed")
