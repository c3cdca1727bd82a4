"""API keys, for holders of the scope `admin`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from .. import answers
from ..places import path_to
from .transport import AsyncTransport


class AsyncKeys:
    """Keys of all projects.

    >>> made = await client.keys.create("mine", ["admin"])
    >>> made.name, made.key[:4]
    ('mine', 'ktl_')
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def create(
        self, name: str, scopes: Sequence[str], project: str | None = None
    ) -> answers.NewKey:
        """Makes a key. The key itself is in this answer and nowhere else."""
        body = {"name": name, "scopes": [*scopes]} | ({"project": project} if project else {})
        return await self._transport.ask(answers.NewKey, "POST", "/v1/keys", json=body)

    def list(self) -> AsyncIterator[answers.Key]:
        """Every key, newest first, revoked ones too."""
        return self._transport.pages(answers.Key, "/v1/keys")

    async def revoke(self, key_id: str) -> None:
        """Ends a key."""
        await self._transport.call("DELETE", path_to("keys", key_id))
