"""The published client, whose answers are read into the types of the service.

Each kind of answer is imported when something of it is first asked for: types of jobs stand on all
of app/spec, and a list of deployments needs none of that.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from app.client.ktl import Client, Event

if TYPE_CHECKING:
    from pydantic import BaseModel

    from app.client.ktl._sync.datasets import Datasets
    from app.client.ktl._sync.jobs import Jobs
    from app.client.ktl._sync.keys import Keys
    from app.client.ktl._sync.serving import Deployments, Models
    from app.datasets.schemas import CataloguedDataset
    from app.jobs.catalogue_schemas import BackboneOut
    from app.jobs.schemas import JobOut, TrialOut
    from app.traffic.schemas import DeploymentTraffic
    from app.usage.schemas import UsageOut

Asked = ParamSpec("Asked")
Kind = TypeVar("Kind", bound="BaseModel")
OnChange = Callable[["JobOut", Event | None], None]


class OtherRelease(Exception):
    """The answer is one of ktl, and not as this release has it."""


def read(kind: type[Kind], answer: object) -> Kind:
    """An answer in the service's own type. Raises OtherRelease."""
    from pydantic import ValidationError

    try:
        return kind.model_validate_json(json.dumps(answer))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise OtherRelease(
            f"expected an answer as this release of ktl has it, got another in `{place}` "
            f"({first['msg']}): the service's release may be another one (`ktl --version` there)"
        ) from error


def one(kind: type[Kind], call: Callable[Asked, Any]) -> Callable[Asked, Kind]:
    """The same call, whose answer is of this kind."""

    @wraps(call)
    def asked(*args: Asked.args, **options: Asked.kwargs) -> Kind:
        return read(kind, call(*args, **options))

    return asked


def many(kind: type[Kind], call: Callable[Asked, Any]) -> Callable[Asked, Iterator[Kind]]:
    """The same call, whose answers are of this kind, read as they are needed."""

    @wraps(call)
    def asked(*args: Asked.args, **options: Asked.kwargs) -> Iterator[Kind]:
        return (read(kind, each) for each in call(*args, **options))

    return asked


class HouseDatasets:
    """Datasets; each call is told at the published client's."""

    def __init__(self, datasets: "Datasets") -> None:
        from app.datasets.audits.schemas import AuditOut
        from app.datasets.preview_schemas import PreviewOut
        from app.datasets.schemas import DatasetOut

        self._datasets = datasets
        self.upload = one(DatasetOut, datasets.upload)
        self.from_catalogue = one(DatasetOut, datasets.from_catalogue)
        self.derive = one(DatasetOut, datasets.derive)
        self.get = one(DatasetOut, datasets.get)
        self.list = many(DatasetOut, datasets.list)
        self.preview = one(PreviewOut, datasets.preview)
        self.audit = one(AuditOut, datasets.audit)
        self.wait = one(DatasetOut, datasets.wait)
        self.delete = datasets.delete

    def catalogue(self) -> "Sequence[CataloguedDataset]":
        from app.datasets.schemas import CataloguedDataset

        return [read(CataloguedDataset, entry) for entry in self._datasets.catalogue()]


class HouseJobs:
    """Jobs; each call is told at the published client's."""

    def __init__(self, jobs: "Jobs") -> None:
        from app.jobs.next_labels.schemas import NextLabelsOut
        from app.jobs.schemas import JobOut, MetricsOut, TrialOut, ValidationOut
        from app.spec.report import Report

        self._jobs = jobs
        self.submit = one(JobOut, jobs.submit)
        self.validate = one(ValidationOut, jobs.validate)
        self.get = one(JobOut, jobs.get)
        self.list = many(JobOut, jobs.list)
        self.cancel = one(JobOut, jobs.cancel)
        self.pause = one(JobOut, jobs.pause)
        self.resume = one(JobOut, jobs.resume)
        self.retry = one(JobOut, jobs.retry)
        self.trial = one(TrialOut, jobs.trial)
        self.metrics = one(MetricsOut, jobs.metrics)
        self.report = one(Report, jobs.report)
        self.next_labels = one(NextLabelsOut, jobs.next_labels)
        self.delete = jobs.delete
        self.metrics_csv = jobs.metrics_csv
        self.report_page = jobs.report_page
        self.predictions = jobs.predictions
        self.events = jobs.events

    def trials(self, job_id: str) -> "Sequence[TrialOut]":
        from app.jobs.schemas import TrialOut

        return [read(TrialOut, trial) for trial in self._jobs.trials(job_id)]

    def wait(
        self, job_id: str, on_change: OnChange | None = None, patience_seconds: float = 60.0
    ) -> "JobOut":
        from app.jobs.schemas import JobOut

        def tell(job: object, event: Event | None) -> None:
            if on_change:
                on_change(read(JobOut, job), event)

        return read(JobOut, self._jobs.wait(job_id, tell, patience_seconds))


class HouseModels:
    """Models; each call is told at the published client's."""

    def __init__(self, models: "Models") -> None:
        from app.models.schemas import ModelOut

        self.get = one(ModelOut, models.get)
        self.add = one(ModelOut, models.add)
        self.add_encoder = one(ModelOut, models.add_encoder)
        self.add_from_hub = one(ModelOut, models.add_from_hub)
        self.wait = one(ModelOut, models.wait)
        self.list = many(ModelOut, models.list)
        self.download = models.download
        self.delete = models.delete


class HouseDeployments:
    """Deployments; each call is told at the published client's."""

    def __init__(self, deployments: "Deployments") -> None:
        from app.deployments.schemas import DeploymentOut, DeploymentWithHistory
        from app.prediction.explaining.schemas import Explanation
        from app.prediction.schemas import PredictOut

        self.traffic = _traffic(deployments)
        self.get = one(DeploymentWithHistory, deployments.get)
        self.list = many(DeploymentOut, deployments.list)
        self.point = one(DeploymentOut, deployments.point)
        self.rollback = one(DeploymentOut, deployments.rollback)
        self.canary = one(DeploymentOut, deployments.canary)
        self.promote = one(DeploymentOut, deployments.promote)
        self.drop_canary = deployments.drop_canary
        self.predict = one(PredictOut, deployments.predict)
        self.predict_pictures = one(PredictOut, deployments.predict_pictures)
        self.explain = one(Explanation, deployments.explain)
        self.delete = deployments.delete


def _traffic(deployments: "Deployments") -> Callable[[str], "DeploymentTraffic"]:
    """Its type is loaded when it is asked for: few are, and it brings numpy."""

    def asked(name: str) -> "DeploymentTraffic":
        from app.traffic.schemas import DeploymentTraffic

        return read(DeploymentTraffic, deployments.traffic(name))

    return asked


class HouseKeys:
    """Keys; each call is told at the published client's."""

    def __init__(self, keys: "Keys") -> None:
        from app.keys.schemas import KeyOut, NewKey  # they load SQLAlchemy, which few need

        self.create: Callable[..., NewKey] = one(NewKey, keys.create)
        self.list: Callable[[], Iterator[KeyOut]] = many(KeyOut, keys.list)
        self.revoke = keys.revoke


class HouseClient:
    """Client of the API in the service's own types. Where that is and the key come from the
    environment when they are not given."""

    def __init__(self, url: str | None = None, api_key: str | None = None) -> None:
        self._client = Client(url, api_key)
        self.url = self._client.url
        self.close = self._client.close

    @cached_property
    def datasets(self) -> HouseDatasets:
        return HouseDatasets(self._client.datasets)

    @cached_property
    def jobs(self) -> HouseJobs:
        return HouseJobs(self._client.jobs)

    @cached_property
    def models(self) -> HouseModels:
        return HouseModels(self._client.models)

    @cached_property
    def deployments(self) -> HouseDeployments:
        return HouseDeployments(self._client.deployments)

    @cached_property
    def keys(self) -> HouseKeys:
        return HouseKeys(self._client.keys)

    def backbones(self) -> "Sequence[BackboneOut]":
        from app.jobs.catalogue_schemas import BackboneOut

        return [read(BackboneOut, each) for each in self._client.backbones()]

    def usage(self) -> "UsageOut":
        from app.usage.schemas import UsageOut

        return read(UsageOut, self._client.usage())

    def __enter__(self) -> "HouseClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
