"""POST /v1/deployments/{name}/predict, answered before FastAPI: the hot path.

Its entry in the OpenAPI document is the route `predict` of app.deployments.router.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from time import monotonic

import orjson
from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from app.deployments.schemas import PredictionWarning
from app.errors import Finding, Forbidden, Invalid, TooLarge, UnsupportedMedia
from app.keys.authentication import Authenticator
from app.keys.caller import Caller
from app.prediction.answers import answer
from app.prediction.decoders import JSON, Asked, decode
from app.prediction.served import Loaded, ServedModels
from app.problems import problem_json
from app.request_id import request_id_of
from app.settings import Settings

PREFIX, SUFFIX = "/v1/deployments/", "/predict"
LARGE_BYTES = 2**18  # a body of this size takes milliseconds to read
LARGE_ROWS = 2**10
_large = ThreadPoolExecutor(1, "large-bodies")  # one at a time: reading takes many times its size
REMEMBERED_SECONDS = 1.0
REMEMBERED_CALLERS = 1024
TRUTHS = {"true": True, "1": True, "false": False, "0": False}


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
            content = await self._predict(scope, receive, name)
        except ClientGone:
            return
        except Exception as error:
            status, problem, headers = problem_json(error, scope["path"], request_id_of(scope))
            content = orjson.dumps(problem)
        raw = [(key.lower().encode(), value.encode("latin-1")) for key, value in headers.items()]
        raw.append((b"content-length", b"%d" % len(content)))
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": content})

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
        question = (media_type.strip().lower(), body, scope["query_string"], loaded)
        loop = asyncio.get_running_loop()
        if len(body) > LARGE_BYTES:
            asked, warning = await loop.run_in_executor(_large, _read, *question)
        else:
            asked, warning = _read(*question)
        probabilities = await loaded.batcher.run(asked.inputs)
        result = (name, loaded, probabilities, asked, warning)
        if len(probabilities) > LARGE_ROWS:
            return await loop.run_in_executor(_large, answer, *result)
        return answer(*result)

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


def _read(
    media_type: str, body: bytes, query: bytes, loaded: Loaded
) -> tuple[Asked, PredictionWarning | None]:
    """Raises BadRequest, UnsupportedMedia or Invalid."""
    asked = decode(media_type, body, loaded.session.shape, len(loaded.labels))
    if query and _wants_raw_scores(query):
        asked = asked._replace(raw_scores=True)
    return asked, loaded.trained_on.check(asked) if loaded.trained_on else None


def _wants_raw_scores(query: bytes) -> bool:
    said = QueryParams(query).get("raw_scores", "false")
    if said not in TRUTHS:
        detail = f"`raw_scores`: expected true or false, got text of length {len(said)}"
        raise Invalid("invalid_value", detail, Finding(detail, parameter="raw_scores"))
    return TRUTHS[said]


def _too_large(limit: int, size: int) -> TooLarge:
    return TooLarge("too_large", f"expected at most {limit} bytes, got {size} or more")
