"""POST /v1/deployments/{name}/predict, answered before FastAPI and its middlewares: the hot path.

What the middlewares do for other routes is done here by the same functions: the request's id, the
guard of an open loopback, the count, problems. Its entry in the OpenAPI document is the route
`predict` of app.deployments.router.
"""

from time import monotonic, perf_counter
from typing import NamedTuple

import orjson
import structlog
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from app.access.authentication import Authenticator
from app.access.caller import Caller
from app.access.loopback import refuse_foreign
from app.errors import Finding, Invalid, UnsupportedMedia
from app.health import count_request
from app.prediction.answers import answer, outputs_of
from app.prediction.bodies import ClientGone, begin, check_declared
from app.prediction.decoders import JSON, decode
from app.prediction.inputs import float32
from app.prediction.large import SMALL_SCORES, LargeRequests, Question
from app.prediction.served import ServedModels
from app.problems import problem_json
from app.request_id import request_id_for
from app.settings import Settings

PREFIX, SUFFIX = "/v1/deployments/", "/predict"
REMEMBERED_SECONDS = 1.0
REMEMBERED_CALLERS = 1024
CLIENT_GONE = 499
TRUTHS = {"true": True, "1": True, "false": False, "0": False}


class Remembered(NamedTuple):
    until: float
    generation: int
    caller: Caller


class PredictionFront:
    def __init__(
        self, settings: Settings, authenticator: Authenticator, served: ServedModels
    ) -> None:
        self._settings, self._authenticator, self._served = settings, authenticator, served
        self._callers: dict[bytes | None, Remembered] = {}
        self._large = LargeRequests()

    async def __call__(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = perf_counter(), 500
        request_id = request_id_for(scope["headers"])
        try:
            try:
                content = await self._predict(name, scope, receive)
                status, headers = 200, [(b"content-type", b"application/json")]
            except ClientGone:
                status = CLIENT_GONE
                return
            except Exception as error:
                structlog.contextvars.bind_contextvars(request_id=request_id)
                status, problem, said = problem_json(error, scope["path"], request_id)
                content = orjson.dumps(problem)
                headers = [(key.lower().encode(), said[key].encode("latin-1")) for key in said]
            headers += (
                (b"content-length", b"%d" % len(content)),
                (b"x-request-id", request_id.encode()),
                (b"x-content-type-options", b"nosniff"),
            )
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": content})
        finally:
            count_request("POST", "prediction", status, perf_counter() - began)

    async def _predict(self, name: str, scope: Scope, receive: Receive) -> bytes:
        headers = dict(scope["headers"])
        await refuse_foreign(scope["headers"], self._authenticator)
        caller = await self._caller(headers.get(b"authorization"))
        loaded = await self._served.find(caller.project, name)
        if headers.get(b"content-encoding", b"identity") != b"identity":
            detail = "expected a body without Content-Encoding, got an encoded one"
            raise UnsupportedMedia("unsupported_media_type", detail)
        media_type = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0]
        media_type = media_type.strip().lower()
        is_raw = bool(scope["query_string"]) and _wants_raw_scores(scope["query_string"])
        limit = self._settings.predict_limit_bytes
        if media_type == JSON:
            limit = min(limit, self._settings.predict_json_limit_bytes)
        check_declared(headers.get(b"content-length"), limit)
        question = Question(name, loaded, media_type, is_raw)
        begun = await begin(receive)
        key = caller.key_id or caller.project
        if not begun.is_small:
            return await self._large.read_and_answer(key, question, begun, receive, limit)
        asked = decode(media_type, begun.text, loaded.session.shape, len(loaded.labels))
        if is_raw:
            asked = asked._replace(raw_scores=True)
        warning = loaded.trained_on.check(asked) if loaded.trained_on else None
        if asked.scores > SMALL_SCORES:
            return await self._large.answer(key, question, asked, warning)
        probabilities = await loaded.batcher.run(float32(asked.parts[0]))
        return answer(name, loaded, asked, [outputs_of(loaded, probabilities, asked)], warning)

    async def _caller(self, header: bytes | None) -> Caller:
        """The authenticator is asked once a second per key: it may have to ask the database."""
        known, generation = self._callers.get(header), self._authenticator.generation
        if known is None or known.generation != generation or known.until < monotonic():
            authorization = None if header is None else header.decode("latin-1")
            caller = await self._authenticator.caller(authorization)
            if len(self._callers) >= REMEMBERED_CALLERS:
                self._callers.clear()
            known = Remembered(monotonic() + REMEMBERED_SECONDS, generation, caller)
            self._callers[header] = known
        known.caller.require("predict")
        return known.caller


def deployment_in(scope: Scope) -> str | None:
    """The name that the request asks for a prediction; None where it asks for something else."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    path: str = scope["path"]
    if not path.startswith(PREFIX) or not path.endswith(SUFFIX):
        return None
    name = path[len(PREFIX) : -len(SUFFIX)]
    return None if not name or "/" in name else name


def _wants_raw_scores(query: bytes) -> bool:
    said = QueryParams(query).get("raw_scores", "false")
    if said not in TRUTHS:
        detail = f"`raw_scores`: expected true or false, got text of length {len(said)}"
        raise Invalid("invalid_value", detail, Finding(detail, parameter="raw_scores"))
    return TRUTHS[said]
