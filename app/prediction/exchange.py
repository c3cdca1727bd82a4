"""One request for a prediction and its answer: what all of them have, whatever they ask."""

from collections.abc import Awaitable
from time import perf_counter
from typing import Self

import orjson
import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from app.at_once import Headers, WholeAnswer
from app.health import count_request
from app.prediction.bodies import ClientGone
from app.prediction.protocols.contract import Answer
from app.problems import problem_json
from app.request_id import request_id_for
from app.traffic.tally import Tally

CLIENT_GONE = 499


class Exchange:
    """A request since it came, and its answer. `tally`: counts it, once it is known what it asks;
    what is refused before counts for no deployment."""

    __slots__ = ("began", "path", "request_id", "tally")

    def __init__(self, request_id: str, path: str) -> None:
        self.began = perf_counter()
        self.request_id, self.path = request_id, path
        self.tally: Tally | None = None

    @classmethod
    def of(cls, scope: Scope) -> Self:
        return cls(request_id_for(scope["headers"]), scope["path"])

    async def reply(self, answering: Awaitable[Answer], send: Send) -> None:
        """Sends the answer, or a problem where there is none."""
        status = 500
        try:
            try:
                content, given = await answering
                status, headers = 200, [*given]
            except ClientGone:
                status = CLIENT_GONE
                return
            except Exception as error:
                structlog.contextvars.bind_contextvars(request_id=self.request_id)
                status, problem, said = problem_json(error, self.path, self.request_id)
                problem.setdefault("error", problem["detail"])
                content = orjson.dumps(problem)
                headers = [(key.lower().encode(), said[key].encode("latin-1")) for key in said]
            headers += self._headers(content)
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": content})
        finally:
            self._count(status)

    def replying(self, answering: Awaitable[Answer]) -> ASGIApp:
        """The rest of an exchange that has to wait for its answer."""

        async def rest(_: Scope, __: Receive, send: Send) -> None:
            await self.reply(answering, send)

        return rest

    def replied(self, answer: Answer) -> WholeAnswer:
        """The end of one that has it."""
        self._count(200)
        return WholeAnswer([*answer.headers, *self._headers(answer.content)], answer.content)

    def _headers(self, content: bytes) -> Headers:
        return [
            (b"content-length", b"%d" % len(content)),
            (b"x-request-id", self.request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
        ]

    def _count(self, status: int) -> None:
        seconds = perf_counter() - self.began
        count_request("POST", "prediction", status, seconds)
        if self.tally is not None:
            self.tally.ended(status, seconds)
