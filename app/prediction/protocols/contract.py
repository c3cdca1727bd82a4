"""The contract of protocols, each a way to ask a deployment. How to add one:
docs/how-to/add-a-protocol.md.

The front (app.prediction.front) finds the protocol, admits the caller, bounds and reads the body,
holds the values against the model's range, runs the model and turns every error into a problem. A
protocol says which path is its own, how a body is read and how an answer is written.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from fastapi import APIRouter

from app.inputs import Inputs
from app.prediction.feeds import Array, Part
from app.prediction.inputs import Place, Places
from app.prediction.schemas import PredictionWarning
from app.prediction.served import Loaded

T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]
Headers: TypeAlias = Mapping[bytes, bytes]  # of a request: names in lower case
BodyKind = Literal["text", "binary", "files"]
"""A body of text may have fewer bytes than one of the others. Files take a while whatever their
size, so that they are read in a thread."""
OF_JSON = ((b"content-type", b"application/json"),)


class Answer(NamedTuple):
    """The answer to a request that the model could be asked; the front adds length and id."""

    content: bytes
    headers: tuple[tuple[bytes, bytes], ...] = OF_JSON


class AnsweredRequest(NamedTuple):
    """All inputs of a request, run: `rows` of them, asked of the deployment `name`. `pieces`: what
    an encoder wrote of them, in order."""

    name: str
    loaded: Loaded
    rows: int
    pieces: list[bytes]
    warnings: tuple[PredictionWarning, ...] = ()


class AnswerEncoder(Protocol):
    """Way in which one request wants its answer written. Large answers are written piece by
    piece."""

    def scores_per_input(self, classes: int) -> int:
        """The number of scores that the answer holds for each input: bounds and steps follow."""

    def piece(self, loaded: Loaded, probabilities: Array) -> bytes:
        """The part of the answer for some inputs: `probabilities` (n, classes), finite."""

    def answer(self, answered: AnsweredRequest) -> Answer:
        """The whole answer."""


class Read(NamedTuple):
    """Values that a body holds: raw values, in parts with n >= 1 rows in all, not yet checked. An
    item of several tensors comes in batches of them."""

    parts: Sequence[Part]
    encoder: AnswerEncoder
    place: Places = Place()
    is_prepared: bool = False  # from files of pictures: in the model's range by itself

    @property
    def rows(self) -> int:
        return sum(map(len, self.parts))


def ended(steps: Steps[T]) -> T:
    """Returns what the steps return, taken at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


class Decoder(Protocol):
    """Way in which the body of one request is read, once its headers and its query are known."""

    @property
    def body(self) -> BodyKind:
        """Kind of bodies that it reads."""

    def read(self, body: bytes, loaded: Loaded) -> Read:
        """Reads a small body at once. Raises BadRequest or Invalid, with a pointer into it."""

    def read_in_steps(self, body: bytearray, loaded: Loaded) -> Steps[Read]:
        """Reads a large body; others go between the steps, so each may take 0.2 ms. Raises as
        `read` does."""


class PredictionProtocol(Protocol):
    """A way to ask a deployment."""

    router: APIRouter
    """The paths as OpenAPI shows them, and those that ask for no prediction, such as metadata."""

    lighter: str
    """What is a fraction of JSON's size, in words for who sends too much of it; empty: nothing."""

    def match(self, method: str, path: str) -> str | None:
        """The deployment's name where the request asks it for a prediction; None for others."""

    def decoder(self, headers: Headers, query: bytes, inputs: Inputs) -> Decoder:
        """Returns what reads the body for a model of such inputs. Raises UnsupportedMedia or
        Invalid before its first byte."""
