"""The only protocol between the API and the workers: task names, payloads, the Celery application.

A message is a hint. The database says what is to be done, so a message that is lost, doubled or
late changes nothing.
"""

from dataclasses import asdict, dataclass
from typing import ClassVar

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Message:
    task: ClassVar[str]


@dataclass(frozen=True)
class RunTrial(Message):
    task = "ktl.run_trial"
    trial_id: str


@dataclass(frozen=True)
class FinaliseJob(Message):
    task = "ktl.finalise_job"
    job_id: str


@dataclass(frozen=True)
class IngestDataset(Message):
    task = "ktl.ingest_dataset"
    dataset_id: str


@dataclass(frozen=True)
class AuditDataset(Message):
    task = "ktl.audit_dataset"
    audit_id: str


@dataclass(frozen=True)
class RankUnlabelled(Message):
    task = "ktl.rank_unlabelled"
    ranking_id: str


@dataclass(frozen=True)
class ImportModel(Message):
    task = "ktl.import_model"
    import_id: str


MESSAGES: tuple[type[Message], ...] = (
    RunTrial,
    FinaliseJob,
    IngestDataset,
    AuditDataset,
    RankUnlabelled,
    ImportModel,
)


QUEUE = "ktl"


def celery_application(broker_url: str) -> Celery:
    """Settings that both ends of a broker share."""
    application = Celery("ktl", broker=broker_url)
    application.conf.update(
        task_ignore_result=True,
        task_default_queue=QUEUE,
        task_publish_retry_policy={"max_retries": 1},
        broker_transport_options={"socket_connect_timeout": 3, "socket_timeout": 3},
    )
    return application


class Publisher:
    """Sends messages and never fails: workers find by themselves what did not arrive."""

    def __init__(self, application: Celery) -> None:
        self._application = application

    def __call__(self, message: Message) -> None:
        try:
            self._application.send_task(message.task, kwargs=asdict(message))
        except (OperationalError, OSError) as error:
            log.warning("message_not_sent", task=message.task, error=str(error))
