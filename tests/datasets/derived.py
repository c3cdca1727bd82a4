"""Datasets that are made of others, through the public door, with a worker's half beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from app.database import Database
from app.settings import Settings
from app.storage import Storage
from tests.intake.test_intake import claim, row_of
from worker.intake.intake import ingest


@dataclass(frozen=True)
class House:
    client: httpx.Client
    database: Database
    storage: Storage
    settings: Settings

    def upload(self, files: Mapping[str, bytes], **spec: Any) -> dict[str, Any]:
        """The dataset once it is taken in."""
        parts = [("file", (name, content)) for name, content in files.items()]
        body = {"spec": json.dumps({"name": "origin", **spec})}
        answer = self.client.post("/v1/datasets", data=body, files=parts)
        assert answer.status_code == 202, answer.text
        return self.taken_in(answer.json()["id"])

    def derive(self, origin: str, **choice: Any) -> dict[str, Any]:
        """The dataset once it is taken in, `ready` or `failed`."""
        answer = self.ask(origin, **choice)
        assert answer.status_code == 202, answer.text
        return self.taken_in(answer.json()["id"])

    def ask(self, origin: str, **choice: Any) -> httpx.Response:
        return self.client.post("/v1/datasets", json={"name": "part", "from": origin, **choice})

    def taken_in(self, dataset_id: str) -> dict[str, Any]:
        ingest(self.database, self.storage, self.settings, claim(self.database, dataset_id))
        dataset: dict[str, Any] = self.client.get(f"/v1/datasets/{dataset_id}").json()
        return dataset

    def array(self, dataset_id: str, name: str) -> np.ndarray:
        path = self.storage.local(row_of(self.database, dataset_id).arrays[name])
        array: np.ndarray = np.load(path)
        return array
