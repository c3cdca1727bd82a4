"""The structure of an imported network: its layers, and which takes what from which. Pure.

It is all that is kept of the config that came with it, and it travels inside a job's `model` as
text: base64 of deflated JSON.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from functools import cached_property, lru_cache
from math import prod
from typing import Annotated, NamedTuple

from pydantic import Field, ValidationError

from app.sent import Array, Sent
from app.spec.imported.kinds import Kind
from app.spec.imported.layer import (
    MOST_KEPT,
    MOST_MULTIPLICATIONS,
    MOST_PARAMETERS,
    DoesNotFit,
    Layer,
    Shape,
    Side,
)

MOST_LAYERS, MOST_CALLS, MOST_JOINED = 2000, 4000, 64
MOST_TEXT = 2**18  # characters, deflated
MOST_BYTES = 2**21  # inflated

Place = Annotated[int, Field(ge=0, le=MOST_CALLS)]


class Call(NamedTuple):
    """A layer, by its place, and the places of what it takes."""

    layer: int
    taken: tuple[int, ...]


class Step(NamedTuple):
    """A call with what it takes and makes."""

    layer: Layer
    taken: tuple[Shape, ...]
    made: Shape
    is_first: bool  # of its layer, which may be called again


class Structure(Sent):
    """Calls from one picture (height, width, channels), 0..1, to the features of the last call.

    `calls`: [layer, [what it takes]] each; 0 is the picture, 1 what the first call makes, and so
    on.
    """

    input: tuple[Side, Side, Side] = Field(strict=False)
    layers: Annotated[Array[Kind], Field(min_length=1, max_length=MOST_LAYERS)]
    calls: Annotated[
        Array[
            Annotated[
                tuple[
                    Annotated[int, Field(ge=0, lt=MOST_LAYERS)],
                    Annotated[Array[Place], Field(min_length=1, max_length=MOST_JOINED)],
                ],
                Field(strict=False),
            ]
        ],
        Field(min_length=1, max_length=MOST_CALLS),
    ]

    def steps(self) -> Iterator[Step]:
        """The calls in their order. Raises DoesNotFit where one cannot be."""
        made: list[Shape] = [self.input]
        held: dict[int, int] = {}
        for layer, taken in self.calls:
            if layer >= len(self.layers) or max(taken) >= len(made):
                raise DoesNotFit("expected calls of layers that there are, on what is made before")
            shapes = tuple(made[place] for place in taken)
            kind, is_first = self.layers[layer], layer not in held
            made.append(kind.out(shapes))
            own = kind.parameters(shapes[0])
            if held.setdefault(layer, own) != own:
                raise DoesNotFit(f"expected each call of one {kind.kind} on items of one form")
            if is_first and sum(held.values()) > MOST_PARAMETERS:
                raise DoesNotFit(f"expected at most {MOST_PARAMETERS} parameters, got more")
            yield Step(kind, shapes, made[-1], is_first)

    @cached_property
    def counted(self) -> "Counted":
        """Raises DoesNotFit."""
        steps = list(self.steps())
        convolutions = [s for s in steps if s.is_first and s.layer.is_convolution]
        image = prod(self.input)
        counted = Counted(
            parameters=sum(s.layer.parameters(s.taken[0]) for s in steps if s.is_first),
            convolutions=sum(s.layer.parameters(s.taken[0]) for s in convolutions),
            kept=image + sum(prod(s.made) for s in steps),
            widest=image + max(sum(map(prod, s.taken)) + prod(s.made) for s in steps),
            features=steps[-1].made,
            multiplications=sum(s.layer.multiplications(s.taken[0]) for s in steps),
        )
        if counted.kept > MOST_KEPT or counted.multiplications > MOST_MULTIPLICATIONS:
            raise DoesNotFit(
                f"expected at most {MOST_KEPT} values and {MOST_MULTIPLICATIONS:g} multiplications "
                "an item, got more"
            )
        return counted

    @property
    def has_norm(self) -> bool:
        return any(layer.is_norm for layer in self.layers)

    @property
    def has_dropout(self) -> bool:
        return any(layer.kind in {"Dropout", "SpatialDropout2D"} for layer in self.layers)

    def written(self) -> str:
        text = self.model_dump_json(exclude_defaults=True).encode()
        return b64encode(zlib.compress(text, 9)).decode()


class Counted(NamedTuple):
    """Numbers (of 4 bytes each): `kept` activations of one item in a training step, `widest` what
    inference holds of one at once."""

    parameters: int
    convolutions: int
    kept: int
    widest: int
    features: Shape
    multiplications: float


@lru_cache(maxsize=64)
def read(text: str) -> Structure:
    """Raises ValueError, which says no more of the text than that it holds no such structure."""
    try:
        inflating = zlib.decompressobj()
        content = inflating.decompress(b64decode(text, validate=True), MOST_BYTES)
        if not inflating.eof:
            raise ValueError("it is cut off, or inflates to more")
        found = Structure.model_validate_json(content)
        features = found.counted.features
    except (ValueError, zlib.error, ValidationError) as error:
        what = str(error) if isinstance(error, DoesNotFit) else "another text"
        expected = "expected the structure of an imported network, as its model's card has it"
        raise ValueError(f"{expected}, got: {what}") from error
    if len(features) != 1:
        raise ValueError(f"expected features in one dimension, got {len(features)}")
    return found
