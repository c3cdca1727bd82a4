# Made from ktl/_async by docs/generate; changes belong there.
"""The whole API behind one object."""

from __future__ import annotations

from collections.abc import Sequence

from .. import answers
from ..places import key_of_environment, url_of_environment
from .datasets import Datasets
from .jobs import Jobs
from .keys import Keys
from .serving import Deployments, Models
from .transport import Transport


class Client:
    """Client of the API. Its address and the key come from the environment (KTL_URL or KTL_HOST and
    KTL_PORT, KTL_API_KEY) where they are not given. Every call may raise ApiError and Unreachable.

    >>> client.usage().datasets
    0
    """

    def __init__(self, url: str | None = None, api_key: str | None = None) -> None:
        key = key_of_environment() if api_key is None else api_key
        self._transport = Transport(url or url_of_environment(), key)
        self.url = self._transport.url
        self.datasets = Datasets(self._transport)
        self.jobs = Jobs(self._transport)
        self.models = Models(self._transport)
        self.deployments = Deployments(self._transport)
        self.keys = Keys(self._transport)

    def backbones(self) -> Sequence[answers.Backbone]:
        """Returns the networks that a job can name, and whose weights are there.

        >>> "convnet" in {backbone.name for backbone in client.backbones()}
        True
        """
        return (self._transport.ask(answers.Backbones, "GET", "/v1/catalog/backbones")).data

    def strategies(self) -> Sequence[answers.Strategy]:
        """Returns the ways to transfer that a job can name, with their parameters and papers.

        >>> {strategy.name: strategy.paper for strategy in client.strategies()}["lp_ft"]
        'Kumar et al., ICLR 2022, arXiv:2202.10054'
        """
        return (self._transport.ask(answers.Strategies, "GET", "/v1/strategies")).data

    def usage(self) -> answers.Usage:
        """Returns what the key's project holds, and may hold."""
        return self._transport.ask(answers.Usage, "GET", "/v1/usage")

    def close(self) -> None:
        """Closes the connections."""
        self._transport.http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
