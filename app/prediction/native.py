"""POST /v1/deployments/{name}/predict, answered before FastAPI: the hot path.

Its entry in the OpenAPI document is the route `predict` of app.deployments.router.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from time import monotonic
from typing import Any

import numpy as np
import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import Forbidden, TooLarge, UnsupportedMedia, invalid
from app.keys.authentication import Authenticator
from app.keys.caller import Caller
from app.prediction.decoders import JSON, decode
from app.prediction.served import Loaded, ServedModels
from app.prediction.sessions import Array
from app.problems import problem_json
from app.request_id import request_id_of
from app.settings import Settings

PREFIX, SUFFIX = "/v1/deployments/", "/predict"
LARGE_BYTES = 2**18  # a body of this size takes milliseconds to read
LARGE_ROWS = 2**10
_large = ThreadPoolExecutor(1, "large-bodies")  # one at a time: reading takes many times its size
REMEMBERED_SECONDS = 1.0
REMEMBERED_CALLERS = 1024


class ClientGone(Exception):
    """Nobody is left to answer."""


class PredictionFront:
    """Needs `served`, `authenticator` and `settings` in the application's state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._callers: dict[bytes | None, tuple[float, Caller]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = _deployment(scope)
        if name is None:
            await self._app(scope, receive, send)
            return
        headers: dict[str, str]
        try:
            status, headers = HTTPStatus.OK.value, {"Content-Type": JSON}
            answer = await self._predict(scope, receive, name)
        except ClientGone:
            return
        except Exception as error:
            status, problem, headers = problem_json(error, scope["path"], request_id_of(scope))
            answer = orjson.dumps(problem)
        raw = [(key.lower().encode(), value.encode("latin-1")) for key, value in headers.items()]
        raw.append((b"content-length", b"%d" % len(answer)))
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": answer})

    async def _predict(self, scope: Scope, receive: Receive, name: str) -> bytes:
        state, headers = scope["app"].state, dict(scope["headers"])
        settings: Settings = state.settings
        served: ServedModels = state.served
        caller = await self._caller(state.authenticator, headers.get(b"authorization"))
        loaded = await served.find(caller.project, name)
        if headers.get(b"content-encoding", b"identity") != b"identity":
            detail = "expected a body without Content-Encoding, got an encoded one"
            raise UnsupportedMedia("unsupported_media_type", detail)
        media_type = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0]
        body = await _body(receive, headers.get(b"content-length"), settings.predict_limit_bytes)
        question = (media_type.strip().lower(), body, loaded.session.shape, len(loaded.labels))
        loop = asyncio.get_running_loop()
        if len(body) > LARGE_BYTES:
            asked = await loop.run_in_executor(_large, decode, *question)
        else:
            asked = decode(*question)
        probabilities = await loaded.batcher.run(asked.inputs)
        result = (name, loaded, probabilities, asked.top_k)
        if len(probabilities) > LARGE_ROWS:
            return await loop.run_in_executor(_large, _answer, *result)
        return _answer(*result)

    async def _caller(self, authenticator: Authenticator, header: bytes | None) -> Caller:
        """The authenticator may ask the database, so it does in a thread, once a second a key."""
        until, caller = self._callers.get(header, (0.0, None))
        if caller is None or until < monotonic():
            authorization = None if header is None else header.decode("latin-1")
            caller = await asyncio.to_thread(authenticator.authenticate, authorization)
            if len(self._callers) >= REMEMBERED_CALLERS:
                self._callers.clear()
            self._callers[header] = (monotonic() + REMEMBERED_SECONDS, caller)
        if "predict" not in caller.scopes:
            held = ", ".join(sorted(caller.scopes)) or "none"
            detail = f"expected a key with the scope `predict`, got one with: {held}"
            raise Forbidden("missing_scope", detail)
        return caller


def _deployment(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    path: str = scope["path"]
    if not path.startswith(PREFIX) or not path.endswith(SUFFIX):
        return None
    name = path[len(PREFIX) : -len(SUFFIX)]
    return None if not name or "/" in name else name


async def _body(receive: Receive, declared: bytes | None, limit: int) -> bytes:
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise _too_large(limit, int(declared))
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit, size)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int, size: int) -> TooLarge:
    return TooLarge("too_large", f"expected at most {limit} bytes, got {size} or more")


def _answer(name: str, loaded: Loaded, probabilities: Array, top_k: int | None) -> bytes:
    finite = np.isfinite(probabilities).all(axis=1)
    if not finite.all():
        detail = "expected values in the range that the model was trained on, got too large ones"
        raise invalid("prediction_not_finite", detail, f"#/inputs/{int(finite.argmin())}")
    outputs: list[dict[str, Any]]
    if top_k is None:
        best, scores = probabilities.argmax(axis=1).tolist(), probabilities.max(axis=1).tolist()
        outputs = [
            {"label": loaded.labels[index], "score": score}
            for index, score in zip(best, scores, strict=True)
        ]
    else:
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top_k]
        ranked = np.take_along_axis(probabilities, order, axis=1)
        outputs = [
            _ranked([loaded.labels[index] for index in indices], scores)
            for indices, scores in zip(order.tolist(), ranked.tolist(), strict=True)
        ]
    return orjson.dumps({"deployment": name, "model": loaded.model_id, "outputs": outputs})


def _ranked(labels: list[str], scores: list[float]) -> dict[str, Any]:
    pairs = [{"label": label, "score": score} for label, score in zip(labels, scores, strict=True)]
    return {**pairs[0], "scores": pairs}
