"""Models, deployments and predictions."""

import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from math import isnan
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np

from app.client.api_error import Unreachable
from app.client.datasets import POLL_SECONDS, UPLOAD_SECONDS
from app.client.transport import Transport, path_to
from app.deployments.schemas import DeploymentOut, DeploymentWithHistory
from app.models.encoder_spec import FILES
from app.models.schemas import ModelOut
from app.prediction.schemas import PredictOut


class Models:
    """The project's models. `model_id` may be a model's name, where it is the only one of that
    name; a name that several have is refused (409 `ambiguous_name`)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, model_id: str) -> ModelOut:
        """A model by its id or its name, also where a deployment has the same name."""
        path, params = path_to("models", model_id), {"deployment": False}
        return self._transport.ask(ModelOut, "GET", path, params=params)

    def add(self, file: Path, name: str | None = None, **spec: Any) -> ModelOut:
        """Sends a network that was trained elsewhere; a worker reads it afterwards (see `wait`).
        `spec`: the other members of app.models.importing.ImportSpec. Sent once: what fails on the
        way is Unreachable. Raises OSError for a file that cannot be read."""
        with file.open("rb") as stream:
            return self._transport.ask(
                ModelOut,
                "POST",
                "/v1/models",
                data={"spec": json.dumps({"name": name or file.stem, **spec})},
                files=[("file", (file.name, stream))],
                headers={"Idempotency-Key": uuid4().hex},
                timeout=httpx.Timeout(UPLOAD_SECONDS, connect=5),
            )

    def add_encoder(self, folder: Path, name: str) -> ModelOut:
        """Sends the encoder of texts that a folder is: model.onnx, tokenizer.json, encoder.json.
        Sent once. Raises OSError for a file that cannot be read."""
        with ExitStack() as held:
            files = [
                ("file", (file, held.enter_context((folder / file).open("rb")))) for file in FILES
            ]
            return self._transport.ask(
                ModelOut,
                "POST",
                "/v1/models",
                data={"spec": json.dumps({"kind": "encoder", "name": name})},
                files=files,
                headers={"Idempotency-Key": uuid4().hex},
                timeout=httpx.Timeout(UPLOAD_SECONDS, connect=5),
            )

    def add_from_hub(self, origin: str, name: str, prefix: str = "") -> ModelOut:
        """Has a worker fetch the encoder of texts `hf:ORG/NAME@REVISION`."""
        body = {"kind": "encoder", "name": name, "from": origin, "prefix": prefix}
        headers = {"Idempotency-Key": uuid4().hex}
        return self._transport.ask(ModelOut, "POST", "/v1/models", json=body, headers=headers)

    def wait(self, model_id: str, patience_seconds: float = 60.0) -> ModelOut:
        """Until the model is `ready` or `failed`; returns it. Waits for an API that restarts."""
        heard = time.monotonic()
        while True:
            try:
                model, heard = self.get(model_id), time.monotonic()
                model_id = model.id  # of a name, another model may have it soon
                if model.status != "importing":
                    return model
            except Unreachable:
                if time.monotonic() - heard > patience_seconds:
                    raise
            time.sleep(POLL_SECONDS)

    def list(self) -> Iterator[ModelOut]:
        """Newest first."""
        return self._transport.pages(ModelOut, "/v1/models")

    def download(self, model_id: str, target: Path, format: str = "onnx") -> Path:
        """Writes the file at `target`, whole or not at all."""
        path = path_to("models", model_id, "download")
        return self._transport.download(path, target, params={"format": format})

    def delete(self, model_id: str) -> None:
        self._transport.call("DELETE", path_to("models", model_id))


class Deployments:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, name: str) -> DeploymentWithHistory:
        return self._transport.ask(DeploymentWithHistory, "GET", path_to("deployments", name))

    def list(self) -> Iterator[DeploymentOut]:
        return self._transport.pages(DeploymentOut, "/v1/deployments")

    def point(self, name: str, model_id: str) -> DeploymentOut:
        """Makes the deployment, or switches it to this model; no request fails meanwhile."""
        path, body = path_to("deployments", name), {"model": model_id}
        return self._transport.ask(DeploymentOut, "PUT", path, json=body)

    def rollback(self, name: str) -> DeploymentOut:
        """Goes back to the model before."""
        return self._transport.ask(DeploymentOut, "POST", path_to("deployments", name, "rollback"))

    def delete(self, name: str) -> None:
        self._transport.call("DELETE", path_to("deployments", name))

    def predict(
        self,
        name: str,
        inputs: np.ndarray | Sequence[Any],
        top_k: int | None = None,
        raw_scores: bool = False,
    ) -> PredictOut:
        """`inputs`: raw items, (n, height, width[, channels]), or rows of a table, dicts by the
        names of columns, where None and NaN are missing values, or texts. An array goes as
        application/x-npy, lists, and whatever asks for `top_k`, go as JSON. `raw_scores`: the
        network's own, not calibrated. A deployment that is still loading is waited for, for a few
        seconds."""
        request: dict[str, Any]
        if isinstance(inputs, np.ndarray) and top_k is None:
            body = io.BytesIO()
            np.save(body, inputs, allow_pickle=False)
            headers = {"Content-Type": "application/x-npy"}
            request = {"content": body.getvalue(), "headers": headers}
        else:
            items = inputs.tolist() if isinstance(inputs, np.ndarray) else [*map(_plain, inputs)]
            request = {"json": {"inputs": items} | ({"top_k": top_k} if top_k else {})}
        return self._predict(name, raw_scores, request)

    def predict_pictures(
        self,
        name: str,
        files: Sequence[Path],
        top_k: int | None = None,
        raw_scores: bool = False,
    ) -> PredictOut:
        """`files`: pictures, which the service decodes as it did those that the model was trained
        on; 256 at most, fewer of a model of large pictures. Else as `predict`. Raises OSError for a
        file that cannot be read."""
        parts = [("file", (path.name, path.read_bytes())) for path in files]
        request: dict[str, Any] = {"files": parts}
        if top_k:
            request["data"] = {"top_k": str(top_k)}
        return self._predict(name, raw_scores, request)

    def _predict(self, name: str, raw_scores: bool, request: dict[str, Any]) -> PredictOut:
        if raw_scores:
            request["params"] = {"raw_scores": "true"}
        path = path_to("deployments", name, "predict")
        return self._transport.ask(PredictOut, "POST", path, repeatable=True, **request)


def _plain(item: Any) -> Any:
    """An item as JSON can have it: of a row numpy's numbers as Python's, and NaN as None."""
    if not isinstance(item, Mapping):
        return item
    values = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in item.items()
    }
    return {
        name: None if isinstance(value, float) and isnan(value) else value
        for name, value in values.items()
    }
