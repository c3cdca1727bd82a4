"""API keys, for holders of the scope `admin`."""

from collections.abc import Iterator, Sequence

from app.client.transport import Transport
from app.keys.schemas import KeyOut, NewKey


class Keys:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, name: str, scopes: Sequence[str], project: str | None = None) -> NewKey:
        """The key itself is in this answer and nowhere else."""
        body = {"name": name, "scopes": [*scopes]} | ({"project": project} if project else {})
        return self._transport.ask(NewKey, "POST", "/v1/keys", json=body)

    def list(self) -> Iterator[KeyOut]:
        """Newest first, revoked ones too."""
        return self._transport.pages(KeyOut, "/v1/keys")

    def revoke(self, key_id: str) -> None:
        self._transport.call("DELETE", f"/v1/keys/{key_id}")
