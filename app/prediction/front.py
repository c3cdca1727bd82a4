"""The handler that answers predictions, before FastAPI and its middlewares: the hot path of every
protocol.

What the middlewares do for other routes is done here by the same functions: the request's id, the
guard of an open loopback, the count, problems. The entries in the OpenAPI document are the routers
of the protocols.
"""

from functools import lru_cache
from time import monotonic, perf_counter
from typing import NamedTuple

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from app.access.authentication import Authenticator
from app.access.caller import Caller
from app.access.loopback import refuse_foreign
from app.errors import UnsupportedMedia
from app.health import count_request
from app.prediction.bodies import ClientGone, Limit, begin, check_declared
from app.prediction.large import SMALL_SCORES, LargeRequests, Question
from app.prediction.outputs import check_finite
from app.prediction.protocols.contract import Answer, AnsweredRequest, PredictionProtocol
from app.prediction.protocols.native import Native
from app.prediction.protocols.open_inference import OpenInference
from app.prediction.protocols.tensorflow_serving import TensorFlowServing
from app.prediction.served import ServedModels
from app.problems import problem_json
from app.request_id import request_id_for
from app.settings import Settings

PROTOCOLS: tuple[PredictionProtocol, ...] = (Native(), OpenInference(), TensorFlowServing())
REMEMBERED_SECONDS = 1.0
REMEMBERED_CALLERS = 1024
REMEMBERED_ROUTES, REMEMBERED_PATH = 1024, 128  # of no more characters
CLIENT_GONE = 499


class Remembered(NamedTuple):
    until: float
    generation: int
    caller: Caller


class Route(NamedTuple):
    """A request for a prediction: in which protocol, of which deployment."""

    protocol: PredictionProtocol
    name: str


def route_of(scope: Scope) -> Route | None:
    """Returns None where the request is not for a prediction."""
    if scope["type"] != "http":
        return None
    path: str = scope["path"]
    match = _match if len(path) <= REMEMBERED_PATH else _match.__wrapped__
    return match(scope["method"], path)


@lru_cache(maxsize=REMEMBERED_ROUTES)
def _match(method: str, path: str) -> Route | None:
    for protocol in PROTOCOLS:
        if (name := protocol.match(method, path)) is not None:
            return Route(protocol, name)
    return None


class PredictionFront:
    """One a process, used from one event loop."""

    def __init__(
        self, settings: Settings, authenticator: Authenticator, served: ServedModels
    ) -> None:
        self._authenticator, self._served = authenticator, served
        self._callers: dict[bytes | None, Remembered] = {}
        most = settings.predict_limit_bytes
        of_json = min(most, settings.predict_json_limit_bytes)
        self._limits = {
            protocol: (Limit(of_json, protocol.lighter), Limit(most, protocol.lighter))
            for protocol in PROTOCOLS
        }
        self._large = LargeRequests()

    async def __call__(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = perf_counter(), 500
        request_id = request_id_for(scope["headers"])
        try:
            try:
                content, given = await self._predict(route, scope, receive)
                status, headers = 200, [*given]
            except ClientGone:
                status = CLIENT_GONE
                return
            except Exception as error:
                structlog.contextvars.bind_contextvars(request_id=request_id)
                status, problem, said = problem_json(error, scope["path"], request_id)
                problem.setdefault("error", problem["detail"])
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

    async def _predict(self, route: Route, scope: Scope, receive: Receive) -> Answer:
        protocol, name = route
        headers = dict(scope["headers"])
        await refuse_foreign(scope["headers"], self._authenticator)
        caller = await self._caller(headers.get(b"authorization"))
        loaded = await self._served.find(caller.project, name)
        if headers.get(b"content-encoding", b"identity") != b"identity":
            detail = "expected a body without Content-Encoding, got an encoded one"
            raise UnsupportedMedia("unsupported_media_type", detail)
        decoder = protocol.decoder(headers, scope["query_string"], loaded.inputs)
        limit = self._limits[protocol][decoder.body != "text"]
        check_declared(headers.get(b"content-length"), limit)
        question = Question(name, loaded, decoder)
        begun = await begin(receive)
        key = caller.key_id or caller.project
        if decoder.body == "files":
            read = await self._large.read_in_thread(key, question, begun, receive, limit)
        elif begun.is_small:
            read = decoder.read(begun.text, loaded)
        else:
            return await self._large.read_and_answer(key, question, begun, receive, limit)
        warnings = () if read.is_prepared else loaded.check(read.parts, read.place)
        encoder = read.encoder
        if (
            len(read.parts) > 1
            or read.rows * encoder.scores_per_input(len(loaded.labels)) > SMALL_SCORES
        ):
            return await self._large.answer(key, question, read, warnings)
        probabilities = await loaded.batcher.run(loaded.session.feed.prepared(read.parts[0]))
        check_finite(probabilities, read.place)
        pieces = [encoder.piece(loaded, probabilities)]
        return encoder.answer(AnsweredRequest(name, loaded, len(probabilities), pieces, warnings))

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
