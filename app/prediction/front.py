"""The handler that answers predictions, before FastAPI and its middlewares: the hot path of every
protocol.

What the middlewares do for other routes is done here by the same functions: the request's id, the
guard of an open loopback, the count, problems. The entries in the OpenAPI document are the routers
of the protocols.
"""

import asyncio
from collections.abc import Awaitable
from functools import lru_cache
from typing import NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.authentication import Authenticator
from app.access.caller import Caller
from app.access.loopback import may_be_foreign, refuse_foreign
from app.at_once import WholeAnswer
from app.errors import UnsupportedMedia
from app.prediction.bodies import SMALL_BYTES, Limit, begin, check_declared
from app.prediction.callers import Callers
from app.prediction.exchange import Exchange
from app.prediction.feeds import Array
from app.prediction.large import SMALL_SCORES, LargeRequests, Question
from app.prediction.outputs import check_finite
from app.prediction.protocols.contract import Answer, AnsweredRequest, PredictionProtocol, Read
from app.prediction.protocols.native import Native
from app.prediction.protocols.open_inference import OpenInference
from app.prediction.protocols.tensorflow_serving import TensorFlowServing
from app.prediction.schemas import PredictionWarning
from app.prediction.served import Loaded, ServedModels
from app.settings import Settings
from app.traffic.tally import Tallies, Tally

PROTOCOLS: tuple[PredictionProtocol, ...] = (Native(), OpenInference(), TensorFlowServing())
REMEMBERED_ROUTES, REMEMBERED_PATH = 1024, 128  # of no more characters


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


class Admitted(NamedTuple):
    """A request whose body may be read. `key`: whose large requests stand in one line."""

    key: str
    question: Question
    limit: Limit


class PredictionFront:
    """One a process, used from one event loop."""

    def __init__(
        self,
        settings: Settings,
        authenticator: Authenticator,
        served: ServedModels,
        tallies: Tallies,
    ) -> None:
        self._authenticator, self._served, self._tallies = authenticator, served, tallies
        self._callers = Callers(authenticator)
        most = settings.predict_limit_bytes
        of_json = min(most, settings.predict_json_limit_bytes)
        self._limits = {
            protocol: (Limit(of_json, protocol.lighter), Limit(most, protocol.lighter))
            for protocol in PROTOCOLS
        }
        self._large = LargeRequests()

    async def __call__(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange.of(scope)
        await exchange.reply(self._predict(exchange, route, scope, receive), send)

    def at_once(self, route: Route, scope: Scope, body: bytes) -> WholeAnswer | ASGIApp | None:
        """Begins to answer, as app/at_once.py says."""
        exchange = Exchange.of(scope)
        try:
            answer = self._begun(exchange, route, scope, body)
        except Exception as error:
            answer = _raised(error)
        if isinstance(answer, Answer):
            return exchange.replied(answer)
        return None if answer is None else exchange.replying(answer)

    def _begun(
        self, exchange: Exchange, route: Route, scope: Scope, body: bytes
    ) -> Answer | Awaitable[Answer] | None:
        """Returns None where the body is not small, something has to be asked for first, or others
        ask as well: they all are read before any is run."""
        headers = dict(scope["headers"])
        if len(body) > SMALL_BYTES or may_be_foreign(scope["headers"], self._authenticator):
            return None
        caller = self._callers.remembered(headers.get(b"authorization"))
        loaded = None if caller is None else self._served.ready(caller.project, route.name)
        if caller is None or loaded is None or not loaded.batcher.is_alone:
            return None
        tally = exchange.tally = self._tallies.of(caller.project, route.name, loaded.model_id)
        admitted = self._admitted(route, scope, headers, caller, loaded, tally)
        decoder = admitted.question.decoder
        if decoder.body == "files" or len(body) > admitted.limit.bytes:
            return None
        return self._answer(admitted, decoder.read(body, loaded))

    async def _predict(
        self, exchange: Exchange, route: Route, scope: Scope, receive: Receive
    ) -> Answer:
        headers = dict(scope["headers"])
        await refuse_foreign(scope["headers"], self._authenticator)
        caller = await self._callers.find(headers.get(b"authorization"))
        loaded = await self._served.find(caller.project, route.name, takes_turns=True)
        tally = exchange.tally = self._tallies.of(caller.project, route.name, loaded.model_id)
        admitted = self._admitted(route, scope, headers, caller, loaded, tally)
        key, question, limit = admitted
        check_declared(headers.get(b"content-length"), limit)
        begun = await begin(receive)
        if question.decoder.body == "files":
            read = await self._large.read_in_thread(key, question, begun, receive, limit)
        elif begun.is_small:
            read = question.decoder.read(begun.text, loaded)
        else:
            return await self._large.read_and_answer(key, question, begun, receive, limit)
        answer = self._answer(admitted, read)
        return answer if isinstance(answer, Answer) else await answer

    def _admitted(
        self,
        route: Route,
        scope: Scope,
        headers: dict[bytes, bytes],
        caller: Caller,
        loaded: Loaded,
        tally: Tally,
    ) -> Admitted:
        """Raises UnsupportedMedia or Invalid."""
        if headers.get(b"content-encoding", b"identity") != b"identity":
            detail = "expected a body without Content-Encoding, got an encoded one"
            raise UnsupportedMedia("unsupported_media_type", detail)
        protocol, name = route
        decoder = protocol.decoder(headers, scope["query_string"], loaded.inputs)
        limit = self._limits[protocol][decoder.body != "text"]
        return Admitted(
            caller.key_id or caller.project, Question(name, loaded, decoder, tally), limit
        )

    def _answer(self, admitted: Admitted, read: Read) -> Answer | Awaitable[Answer]:
        """Answers what a small body asks, at once where the model does. Raises Invalid."""
        key, question, _ = admitted
        loaded, encoder = question.loaded, read.encoder
        warnings = () if read.is_prepared else loaded.check(read.parts, read.place)
        scores = read.rows * encoder.scores_per_input(len(loaded.labels))
        if len(read.parts) > 1 or scores > SMALL_SCORES:
            return self._large.answer(key, question, read, warnings)
        probabilities = loaded.batcher.begin(loaded.session.feed.prepared(read.parts[0]))
        if isinstance(probabilities, asyncio.Future):
            return _written_later(question, read, warnings, probabilities)
        return _written(question, read, warnings, probabilities)


Warnings = tuple[PredictionWarning, ...]


def _written(question: Question, read: Read, warnings: Warnings, probabilities: Array) -> Answer:
    """Raises Invalid."""
    check_finite(probabilities, read.place)
    name, loaded, _, tally = question
    tally.answered(probabilities)
    if warnings:
        tally.warned(warnings)
    pieces = [read.encoder.piece(loaded, probabilities)]
    request = AnsweredRequest(name, loaded, len(probabilities), pieces, warnings)
    return read.encoder.answer(request)


async def _written_later(
    question: Question, read: Read, warnings: Warnings, running: Awaitable[Array]
) -> Answer:
    return _written(question, read, warnings, await running)


async def _raised(error: Exception) -> Answer:
    raise error
