"""The whole API behind one object."""

from __future__ import annotations

from collections.abc import Sequence

from .. import answers
from ..places import key_of_environment, url_of_environment
from .datasets import AsyncDatasets
from .jobs import AsyncJobs
from .keys import AsyncKeys
from .serving import AsyncDeployments, AsyncModels
from .transport import AsyncTransport


class AsyncClient:
    """Client of the API. Its address and the key come from the environment (KTL_URL or KTL_HOST and
    KTL_PORT, KTL_API_KEY) where they are not given. Every call may raise ApiError and Unreachable.

    >>> (await client.usage()).datasets
    0
    """

    def __init__(self, url: str | None = None, api_key: str | None = None) -> None:
        key = key_of_environment() if api_key is None else api_key
        self._transport = AsyncTransport(url or url_of_environment(), key)
        self.url = self._transport.url
        self.datasets = AsyncDatasets(self._transport)
        self.jobs = AsyncJobs(self._transport)
        self.models = AsyncModels(self._transport)
        self.deployments = AsyncDeployments(self._transport)
        self.keys = AsyncKeys(self._transport)

    async def backbones(self) -> Sequence[answers.Backbone]:
        """Returns the networks that a job can name, and whose weights are there.

        >>> "convnet" in {backbone.name for backbone in await client.backbones()}
        True
        """
        return (await self._transport.ask(answers.Backbones, "GET", "/v1/catalog/backbones")).data

    async def strategies(self) -> Sequence[answers.Strategy]:
        """Returns the ways to transfer that a job can name, with their parameters and papers.

        >>> {strategy.name: strategy.paper for strategy in await client.strategies()}["lp_ft"]
        'Kumar et al., ICLR 2022, arXiv:2202.10054'
        """
        return (await self._transport.ask(answers.Strategies, "GET", "/v1/strategies")).data

    async def usage(self) -> answers.Usage:
        """Returns what the key's project holds, and may hold."""
        return await self._transport.ask(answers.Usage, "GET", "/v1/usage")

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
