"""Datasets: uploads with their progress, the catalogue, what is stored."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx

from .. import answers
from ..places import path_to
from ..uploads import Content, OnProgress, OpenUpload
from .transport import AsyncTransport
from .waiting import settled

UPLOAD_SECONDS = 600.0  # the API stores and hashes the files before it answers
READY = frozenset({"ready", "failed"})
LOOKED_THROUGH = frozenset({"succeeded", "failed"})


class AsyncDatasets:
    """Datasets of the key's project. `dataset_id` may be the name of one, where it alone has it; a
    name that several have is refused (409 `ambiguous_name`).

    >>> [entry.reference for entry in await client.datasets.catalogue()][:2]
    ['catalog:mnist_5k', 'catalog:digits']
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def upload(
        self,
        content: Content,
        name: str | None = None,
        on_progress: OnProgress | bool | None = None,
        **spec: Any,
    ) -> answers.Dataset:
        """Sends one dataset; it is taken in afterwards (see `wait`).

        `content` is a file, several files, arrays by name, or a data frame of pandas, polars or
        pyarrow, whose index is left out. `on_progress` is called with the bytes sent and the bytes
        in all; True draws a bar on standard error. `spec` are the other members of an upload's
        spec, as `target` (the columns that hold the labels), `task` and `split`. Sent once: what
        fails on the way is Unreachable. Raises OSError for a file that cannot be read, TypeError
        for content that is none of these and ValueError for columns of one name.

        >>> import numpy as np
        >>> images, labels = np.zeros((20, 8, 8), np.uint8), np.arange(20) % 2
        >>> dataset = await client.datasets.upload({"x": images, "y": labels}, name="letters")
        >>> dataset.name, dataset.status
        ('letters', 'ingesting')
        """
        with OpenUpload(content, name, on_progress) as upload:
            return await self._transport.begin(
                answers.Dataset,
                "/v1/datasets",
                data={"spec": json.dumps({"name": upload.name, **spec})},
                files=upload.parts,
                timeout=httpx.Timeout(UPLOAD_SECONDS, connect=5),
            )

    async def from_catalogue(self, origin: str, name: str | None = None) -> answers.Dataset:
        """Returns `catalog:NAME`; the same one again answers the dataset that is there.

        >>> (await client.datasets.from_catalogue("catalog:digits")).name
        'digits'
        """
        body = {"from": origin} | ({"name": name} if name else {})
        return await self._transport.begin(
            answers.Dataset, "/v1/datasets", json=body, repeatable=True
        )

    async def derive(self, origin: str, name: str, **choice: Any) -> answers.Dataset:
        """Makes a dataset of what is chosen of another, `ds_…` or `catalog:NAME`; it is taken in
        afterwards (see `wait`). `choice` says what, as `where={"hospital": ["va"]}` or
        `classes=["0", "1"]`.

        >>> few = await client.datasets.derive("catalog:digits", "few", classes=["0", "1"])
        >>> few.name
        'few'
        """
        body = {"name": name, "from": origin, **choice}
        return await self._transport.begin(
            answers.Dataset, "/v1/datasets", json=body, repeatable=True
        )

    async def get(self, dataset_id: str) -> answers.Dataset:
        """Returns one dataset as it is now."""
        return await self._transport.ask(answers.Dataset, "GET", path_to("datasets", dataset_id))

    def list(self, status: str | None = None) -> AsyncIterator[answers.Dataset]:
        """Every dataset, newest first; or those of one status."""
        return self._transport.pages(answers.Dataset, "/v1/datasets", status=status)

    async def catalogue(self) -> Sequence[answers.CataloguedDataset]:
        """Returns what a job can name as it is: `catalog:NAME`."""
        return (await self._transport.ask(answers.Catalogue, "GET", "/v1/catalog/datasets")).data

    async def preview(
        self, dataset_id: str, split: str = "test", offset: int = 0, limit: int = 10
    ) -> answers.Preview:
        """Some stored items with their labels."""
        path = path_to("datasets", dataset_id, "preview")
        params: dict[str, Any] = {"split": split, "offset": offset, "limit": limit}
        return await self._transport.ask(answers.Preview, "GET", path, params=params)

    async def audit(
        self,
        dataset_id: str,
        most: int = 100,
        patience_seconds: float = 60.0,
        features: str | None = None,
    ) -> answers.Audit:
        """Has the dataset looked through for wrong labels, and waits until that has succeeded or
        failed; with the `most` likeliest suspects. Waits for an API that restarts. `features`: the
        model by whose features pictures are compared."""
        path, params = path_to("datasets", dataset_id, "audit"), {"limit": most}
        body = {"features": features} if features else {}
        begun = await self._transport.ask(answers.Audit, "POST", path, json=body, repeatable=True)
        path = path_to("datasets", begun.dataset, "audit")
        return await settled(
            lambda: self._transport.ask(answers.Audit, "GET", path, params=params),
            LOOKED_THROUGH,
            patience_seconds,
        )

    async def delete(self, dataset_id: str) -> None:
        """Deletes a dataset that no unfinished job needs."""
        await self._transport.call("DELETE", path_to("datasets", dataset_id))

    async def wait(self, dataset_id: str, patience_seconds: float = 60.0) -> answers.Dataset:
        """Waits until the dataset is `ready` or `failed`; returns it. Waits for an API that
        restarts."""

        async def look() -> answers.Dataset:
            nonlocal dataset_id
            found = await self.get(dataset_id)
            dataset_id = found.id  # another may have the name soon
            return found

        return await settled(look, READY, patience_seconds)
