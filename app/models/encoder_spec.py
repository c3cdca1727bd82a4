"""What is said of an encoder of texts that was trained elsewhere: the other `spec` of POST
/v1/models."""

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, ConfigDict, Field

from app.inputs.encoders import ENCODERS
from app.sent import Sent

GRAPH, TOKENIZER, FACTS = "model.onnx", "tokenizer.json", "encoder.json"
FILES = (GRAPH, TOKENIZER, FACTS)
HUB, MODEL_ID = "hf:", "mdl_"
COMMIT = re.compile(r"[0-9a-f]{40}")
_PART = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}"
HUB_NAME = re.compile(rf"hf:({_PART}/{_PART})@({_PART})")
HUB_FORM = "hf:ORG/NAME@REVISION, whose revision is a commit, or a branch that becomes one"


class HubName(NamedTuple):
    """A repository of the hub at a revision: a commit's 40 digits, or what may move."""

    repository: str
    revision: str

    @property
    def is_pinned(self) -> bool:
        return COMMIT.fullmatch(self.revision) is not None

    @classmethod
    def parse(cls, text: str) -> "HubName":
        """Raises ValueError."""
        found = HUB_NAME.fullmatch(text)
        if found is None:
            raise ValueError(f"expected {HUB_FORM}")
        return cls(*found.groups())


def _is_hub_name(text: str) -> str:
    HubName.parse(text)
    return text


def _is_free(name: str) -> str:
    if name in ENCODERS or name.startswith(MODEL_ID):
        raise ValueError("expected a name that is no other encoder's, and no id")
    return name


class EncoderSpec(Sent):
    """Rules for reading an uploaded encoder, or one of the hub."""

    model_config = ConfigDict(populate_by_name=True)

    kind: Literal["encoder"]
    name: Annotated[str, AfterValidator(_is_free)] = Field(
        min_length=1, max_length=200, description="that jobs call it by, in `params.encoder`"
    )
    origin: Annotated[str, AfterValidator(_is_hub_name)] | None = Field(
        None,
        alias="from",
        max_length=300,
        description=f"{HUB_FORM}: a worker fetches it; null: the files come with this",
    )
    prefix: str = Field(
        "", max_length=200, description="of one of the hub: what stands before each text"
    )
    licence: str = Field(
        "unknown", max_length=200, description="of one of the hub, which does not say it in a file"
    )
