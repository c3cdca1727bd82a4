"""Datasets: uploads with their progress, the catalogue, what is stored."""

import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from app.client.api_error import Unreachable
from app.client.transport import Transport, path_to
from app.datasets.audits.schemas import AuditOut
from app.datasets.preview_schemas import PreviewOut
from app.datasets.schemas import CataloguedDataset, CatalogueOut, DatasetOut

OnProgress = Callable[[int, int], None]  # bytes sent, bytes in all

POLL_SECONDS = 0.3
UPLOAD_SECONDS = 600.0  # the API stores and hashes the files before it answers


class Datasets:
    """The project's datasets. `dataset_id` may be a dataset's name, where it is the only one of
    that name; a name that several have is refused (409 `ambiguous_name`)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(
        self,
        files: Sequence[Path],
        name: str | None = None,
        on_progress: OnProgress | None = None,
        **spec: Any,
    ) -> DatasetOut:
        """Sends the files as one dataset; it is taken in afterwards (see `wait`). `spec`: the other
        members of DatasetSpec. Sent once: what fails on the way is Unreachable. Raises OSError
        for a file that cannot be read."""
        total = sum(path.stat().st_size for path in files)
        sent = 0

        def count(size: int) -> None:
            nonlocal sent
            sent += size
            if on_progress:
                on_progress(min(sent, total), total)

        described = {"name": name or files[0].name.partition(".")[0], **spec}
        with ExitStack() as stack:
            parts = [
                ("file", (path.name, stack.enter_context(_Counted(path, count)))) for path in files
            ]
            return self._transport.ask(
                DatasetOut,
                "POST",
                "/v1/datasets",
                data={"spec": json.dumps(described)},
                files=parts,
                headers={"Idempotency-Key": uuid4().hex},
                timeout=httpx.Timeout(UPLOAD_SECONDS, connect=5),
            )

    def from_catalogue(self, origin: str, name: str | None = None) -> DatasetOut:
        """`catalog:NAME`; the same one again answers the dataset that is there."""
        body = {"from": origin} | ({"name": name} if name else {})
        headers = {"Idempotency-Key": uuid4().hex}
        return self._transport.ask(
            DatasetOut, "POST", "/v1/datasets", json=body, headers=headers, repeatable=True
        )

    def derive(self, origin: str, name: str, **choice: Any) -> DatasetOut:
        """A dataset of what is chosen of another, `ds_…` or `catalog:NAME`; it is taken in
        afterwards (see `wait`). `choice`: members of app.datasets.selection.Selection."""
        body = {"name": name, "from": origin, **choice}
        headers = {"Idempotency-Key": uuid4().hex}
        return self._transport.ask(
            DatasetOut, "POST", "/v1/datasets", json=body, headers=headers, repeatable=True
        )

    def get(self, dataset_id: str) -> DatasetOut:
        return self._transport.ask(DatasetOut, "GET", path_to("datasets", dataset_id))

    def list(self) -> Iterator[DatasetOut]:
        """Newest first."""
        return self._transport.pages(DatasetOut, "/v1/datasets")

    def catalogue(self) -> Sequence[CataloguedDataset]:
        """Returns what a job can name as it is: `catalog:NAME`."""
        return self._transport.ask(CatalogueOut, "GET", "/v1/catalog/datasets").data

    def preview(
        self, dataset_id: str, split: str = "test", offset: int = 0, limit: int = 10
    ) -> PreviewOut:
        """Some stored items with their labels."""
        path = path_to("datasets", dataset_id, "preview")
        params: dict[str, Any] = {"split": split, "offset": offset, "limit": limit}
        return self._transport.ask(PreviewOut, "GET", path, params=params)

    def audit(
        self,
        dataset_id: str,
        most: int = 100,
        patience_seconds: float = 60.0,
        features: str | None = None,
    ) -> AuditOut:
        """Has the dataset looked through for wrong labels, and waits until that has succeeded or
        failed; with the `most` likeliest suspects. Waits for an API that restarts. `features`: the
        model by whose features pictures are compared."""
        path, params = path_to("datasets", dataset_id, "audit"), {"limit": most}
        body = {"features": features} if features else {}
        begun = self._transport.ask(AuditOut, "POST", path, json=body, repeatable=True)
        path = path_to("datasets", begun.dataset, "audit")
        heard = time.monotonic()
        while True:
            try:
                audit = self._transport.ask(AuditOut, "GET", path, params=params)
                heard = time.monotonic()
                if audit.status in {"succeeded", "failed"}:
                    return audit
            except Unreachable:
                if time.monotonic() - heard > patience_seconds:
                    raise
            time.sleep(POLL_SECONDS)

    def delete(self, dataset_id: str) -> None:
        self._transport.call("DELETE", path_to("datasets", dataset_id))

    def wait(self, dataset_id: str, patience_seconds: float = 60.0) -> DatasetOut:
        """Until the dataset is `ready` or `failed`; returns it. Waits for an API that restarts."""
        heard = time.monotonic()
        while True:
            try:
                dataset, heard = self.get(dataset_id), time.monotonic()
                dataset_id = dataset.id  # of a name, another dataset may have it soon
                if dataset.status != "ingesting":
                    return dataset
            except Unreachable:
                if time.monotonic() - heard > patience_seconds:
                    raise
            time.sleep(POLL_SECONDS)


class _Counted(io.FileIO):
    """A file that tells how much of it has been read."""

    def __init__(self, path: Path, count: Callable[[int], None]) -> None:
        super().__init__(path)
        self._count = count

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size) or b""
        self._count(len(data))
        return data
