"""The whole API behind one object."""

from collections.abc import Sequence
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

from app.client.datasets import Datasets
from app.client.jobs import Jobs
from app.client.serving import Deployments, Models
from app.client.transport import Transport
from app.jobs.catalogue_schemas import BackboneOut, BackbonesOut
from app.settings import Settings
from app.usage.schemas import UsageOut

if TYPE_CHECKING:
    from app.client.keys import Keys


class Client:
    """Client of the API. Where that is and the key come from the environment (KTL_URL or KTL_HOST
    and KTL_PORT, KTL_API_KEY) when they are not given. Every call may raise Problem and
    Unreachable."""

    def __init__(self, url: str | None = None, api_key: str | None = None) -> None:
        settings = Settings()
        if api_key is None and settings.api_key:
            api_key = settings.api_key.get_secret_value()
        self._transport = Transport(url or settings.base_url, api_key)
        self.url = self._transport.url
        self.datasets = Datasets(self._transport)
        self.jobs = Jobs(self._transport)
        self.models = Models(self._transport)
        self.deployments = Deployments(self._transport)

    @cached_property
    def keys(self) -> "Keys":
        from app.client.keys import Keys  # its schemas load SQLAlchemy, which few callers need

        return Keys(self._transport)

    def backbones(self) -> Sequence[BackboneOut]:
        """The networks that a job can name, and whose weights are there."""
        return self._transport.ask(BackbonesOut, "GET", "/v1/catalog/backbones").data

    def usage(self) -> UsageOut:
        """Returns what the key's project holds, and may hold."""
        return self._transport.ask(UsageOut, "GET", "/v1/usage")

    def close(self) -> None:
        self._transport.http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
