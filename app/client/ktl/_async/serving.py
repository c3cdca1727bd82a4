"""Models, deployments and predictions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from .. import answers, asked
from ..places import path_to
from .datasets import READY, UPLOAD_SECONDS
from .transport import AsyncTransport
from .waiting import settled

EXPLAIN_SECONDS = 600
ENCODER_FILES = ("model.onnx", "tokenizer.json", "encoder.json")


class AsyncModels:
    """Models of the key's project. `model_id` may be the name of one, where it alone has it; a name
    that several have is refused (409 `ambiguous_name`).

    >>> [model.name async for model in client.models.list()]
    []
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get(self, model_id: str) -> answers.Model:
        """Returns one model and its card, also where a deployment has its name."""
        path, params = path_to("models", model_id), {"deployment": False}
        return await self._transport.ask(answers.Model, "GET", path, params=params)

    async def add(self, file: str | Path, name: str | None = None, **spec: Any) -> answers.Model:
        """Sends a network that was trained elsewhere, .keras or .onnx; a worker reads it afterwards
        (see `wait`). `spec`: what else is said of it, as `classes` and `inputs`. Sent once: what
        fails on the way is Unreachable. Raises OSError for a file that cannot be read."""
        path = Path(file)
        return await self._send([path], {"name": name or path.stem, **spec})

    async def add_encoder(self, folder: str | Path, name: str) -> answers.Model:
        """Sends the encoder of texts that a folder is: model.onnx, tokenizer.json, encoder.json.
        Sent once. Raises OSError for a file that cannot be read."""
        files = [Path(folder) / file for file in ENCODER_FILES]
        return await self._send(files, {"kind": "encoder", "name": name})

    async def add_from_hub(self, origin: str, name: str, prefix: str = "") -> answers.Model:
        """Has a worker fetch the encoder of texts `hf:ORG/NAME@REVISION`."""
        body = {"kind": "encoder", "name": name, "from": origin, "prefix": prefix}
        return await self._transport.begin(answers.Model, "/v1/models", json=body)

    async def wait(self, model_id: str, patience_seconds: float = 60.0) -> answers.Model:
        """Waits until the model is `ready` or `failed`; returns it. Waits for an API that
        restarts."""

        async def look() -> answers.Model:
            nonlocal model_id
            found = await self.get(model_id)
            model_id = found.id  # another may have the name soon
            return found

        return await settled(look, READY, patience_seconds)

    def list(self) -> AsyncIterator[answers.Model]:
        """Every model, newest first."""
        return self._transport.pages(answers.Model, "/v1/models")

    async def download(self, model_id: str, target: str | Path, format: str = "onnx") -> Path:
        """Writes the file at `target`, whole or not at all."""
        path = path_to("models", model_id, "download")
        return await self._transport.download(path, target, params={"format": format})

    async def delete(self, model_id: str) -> None:
        """Deletes a model that no deployment serves."""
        await self._transport.call("DELETE", path_to("models", model_id))

    async def _send(self, files: Sequence[Path], spec: dict[str, Any]) -> answers.Model:
        with ExitStack() as held:
            return await self._transport.begin(
                answers.Model,
                "/v1/models",
                data={"spec": json.dumps(spec)},
                files=[
                    ("file", (path.name, held.enter_context(path.open("rb")))) for path in files
                ],
                timeout=httpx.Timeout(UPLOAD_SECONDS, connect=5),
            )


class AsyncDeployments:
    """Names that serve a model.

    >>> [deployment.name async for deployment in client.deployments.list()]
    []
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get(self, name: str) -> answers.DeploymentWithHistory:
        """Returns one deployment, with the models that it has served."""
        return await self._transport.ask(
            answers.DeploymentWithHistory, "GET", path_to("deployments", name)
        )

    def list(self) -> AsyncIterator[answers.Deployment]:
        """Every deployment."""
        return self._transport.pages(answers.Deployment, "/v1/deployments")

    async def point(self, name: str, model_id: str) -> answers.DeploymentWithHistory:
        """Makes the deployment, or switches it to this model; no request fails meanwhile."""
        return await self._transport.ask(
            answers.DeploymentWithHistory,
            "PUT",
            path_to("deployments", name),
            json={"model": model_id},
        )

    async def rollback(self, name: str) -> answers.DeploymentWithHistory:
        """Goes back to the model before."""
        return await self._transport.ask(
            answers.DeploymentWithHistory, "POST", path_to("deployments", name, "rollback")
        )

    async def canary(
        self, name: str, model_id: str, percent: int = 10
    ) -> answers.DeploymentWithHistory:
        """Has another model answer so many of each 100 requests; no request fails meanwhile."""
        return await self._transport.ask(
            answers.DeploymentWithHistory,
            "PUT",
            path_to("deployments", name, "canary"),
            json={"model": model_id, "percent": percent},
        )

    async def promote(self, name: str) -> answers.DeploymentWithHistory:
        """Points the name to its canary."""
        return await self._transport.ask(
            answers.DeploymentWithHistory, "POST", path_to("deployments", name, "canary", "promote")
        )

    async def drop_canary(self, name: str) -> None:
        """Sends all requests to the current model again."""
        await self._transport.call("DELETE", path_to("deployments", name, "canary"))

    async def traffic(self, name: str) -> answers.DeploymentTraffic:
        """Returns what it was asked within the last minute, hour and day, and whether its answers
        are still such as the model is known by."""
        return await self._transport.ask(
            answers.DeploymentTraffic, "GET", path_to("deployments", name, "traffic")
        )

    async def delete(self, name: str) -> None:
        """Serves the name no more."""
        await self._transport.call("DELETE", path_to("deployments", name))

    async def predict(
        self, name: str, inputs: Any, top_k: int | None = None, raw_scores: bool = False
    ) -> answers.Predict:
        """Asks about raw items: an array (n, height, width[, channels]); texts, as a list or a
        column; rows of a table, as a data frame or as dicts by the names of columns, where None,
        NaN, NaT and NA are missing values; items of several parts, as dicts by the names of parts.

        An array of numbers goes as application/x-npy, all else, and whatever asks for `top_k`, as
        JSON. `raw_scores`: the network's own, not calibrated. A deployment that is still loading is
        waited for, for a few seconds. Raises TypeError for what is no list of items, and ValueError
        for columns of one name."""
        return await self._predict(name, asked.items(inputs, top_k, raw_scores))

    async def predict_pictures(
        self,
        name: str,
        files: Sequence[str | Path],
        top_k: int | None = None,
        raw_scores: bool = False,
    ) -> answers.Predict:
        """Asks about pictures, which the service decodes as it did those that the model was trained
        on; 256 at most, fewer of a model of large pictures. Else as `predict`. Raises OSError for a
        file that cannot be read."""
        return await self._predict(name, asked.pictures(files, top_k, raw_scores))

    async def explain(self, name: str, item: Any, output: str | None = None) -> answers.Explanation:
        """Asks how the answer to one item changes when a part of it is taken away: a patch of a
        picture, a column, a word. It tells how, not why. Takes as long as some 256 predictions.

        `item`: one of those that `predict` is asked about, as a row of a data frame is, or a
        picture as the path of its file. `output`: the class whose score is explained, else the one
        that is answered. Raises OSError for a file that cannot be read."""
        found = await self._transport.ask(
            answers.Explanation,
            "POST",
            path_to("deployments", name, "explain"),
            repeatable=True,
            json=asked.one_item(item, output),
            timeout=httpx.Timeout(EXPLAIN_SECONDS, connect=5),
        )
        found.setdefault("warnings", [])  # left out by the API where there are none
        return found

    async def _predict(self, name: str, request: dict[str, Any]) -> answers.Predict:
        path = path_to("deployments", name, "predict")
        found = await self._transport.ask(answers.Predict, "POST", path, repeatable=True, **request)
        found.setdefault("warnings", [])  # left out by the API where there are none
        return found
