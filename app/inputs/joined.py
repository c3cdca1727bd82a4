"""Items of several parts: a photo and a row, several photos, a text and a row.

A part may be missing. One rule holds in the intake and in serving: a part that is left out or null
is missing, and so is a row of which no value is known, and a text of nothing; an item has one part
at least. What is missing is stored as nothing: a row of NaN, a text of zeros, a picture of zeros
whose flag `PART.present` is 0.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from app.errors import invalid, token
from app.inputs.contract import InputsContract, Sketch, sketched
from app.inputs.image import ImageInputs
from app.inputs.joined_part import JoinedPart, decoded_part
from app.inputs.layouts import JoinedLayout, PartLayout
from app.inputs.table import ROW, TableInputs
from app.tensors import Tensors, TensorSpec

PARTS = "parts"  # the member of a preview's item
MOST_PARTS = 16


class Lacking(NamedTuple):
    """Items of a request that lack a part: how many, and the first."""

    part: str
    items: int
    first: int


class JoinedInputs(InputsContract):
    """The tensors of each part as `PART.TENSOR`, and `PART.present` of a picture."""

    member: ClassVar[str | None] = PARTS
    has_quantities: ClassVar[bool] = False

    modality: Literal["joined"] = "joined"
    parts: tuple[JoinedPart, ...] = Field(min_length=2, max_length=MOST_PARTS)

    @field_validator(PARTS)
    @classmethod
    def _named_apart(cls, parts: tuple[JoinedPart, ...]) -> tuple[JoinedPart, ...]:
        if len({part.name for part in parts}) < len(parts):
            raise ValueError("expected a name of its own for each part")
        return parts

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        return tuple(tensor for part in self.parts for tensor in part.tensors())

    @property
    def asked(self) -> tuple[TensorSpec, ...]:
        """Those of each part, as `PART.TENSOR`: a row's columns, a picture, a text."""
        return tuple(
            TensorSpec(f"{part.name}.{tensor.name}", tensor.dtype, tensor.shape)
            for part in self.parts
            for tensor in part.inputs.asked
        )

    @property
    def summary(self) -> str:
        return " + ".join(f"{part.name} {part.inputs.summary}" for part in self.parts)

    @property
    def layout(self) -> JoinedLayout:
        return JoinedLayout.of(
            [
                PartLayout(p.name, p.inputs.modality, p.inputs.layout, p.inputs.tokens)
                for p in self.parts
            ]
        )

    @property
    def sides(self) -> tuple[int, int] | None:
        """Sides of its pictures, where all are of one size."""
        found = {p.inputs.sides for p in self.parts if isinstance(p.inputs, ImageInputs)}
        return next(iter(found)) if len(found) == 1 else None

    def part(self, name: str) -> JoinedPart | None:
        return next((part for part in self.parts if part.name == name), None)

    def differences(self, source: Self, resized: tuple[int, int] | None) -> list[str]:
        if source == self:
            return []
        theirs, own = ([(p.name, p.inputs.modality) for p in x.parts] for x in (source, self))
        if theirs != own:
            names = ", ".join(f"`{name}` ({modality})" for name, modality in theirs)
            return [f"expected the parts of the source's items, {names}, got others"]
        found = []
        for part, other in zip(self.parts, source.parts, strict=True):
            wrong = part.inputs.mismatches(other.inputs, resized)
            if isinstance(part.inputs, ImageInputs) and part.inputs.range != other.inputs.range:
                wrong.append(
                    "expected pictures of the source's `value_range`: bring both to one scale, or "
                    "say `value_range` in the datasets' specs"
                )
            found += [f"part `{part.name}`: {each}" for each in wrong]
        return found

    def decode(self, items: Sequence[Any], at: str, first: int = 0) -> Tensors:
        """Objects with a value for each part, null or nothing where it is missing; a picture as
        nested arrays or `{"b64": …}`, a file. Raises Invalid."""
        for place, item in enumerate(items, first):
            self._check(item, f"{at}/{place}")
        found: dict[str, NDArray[Any]] = {}
        for part in self.parts:
            values = [item.get(part.name) for item in items]
            known = np.array([value is not None for value in values], np.bool_)
            own = [
                decoded_part(part.inputs, value, f"{at}/{place}/{token(part.name)}")
                for place, value in enumerate(values, first)
                if value is not None
            ]
            whole = {
                name: np.concatenate([each[name] for each in own]) if own else empty
                for name, empty in part.nothing(0).items()
            }
            found |= part.placed(whole, known)
        self.check_known(found, at, first)
        return found

    def check_known(self, items: Tensors, at: str, first: int = 0) -> None:
        """Raises Invalid at the first item that has no part at all."""
        has_one = np.any([part.known(items) for part in self.parts], axis=0)
        if not has_one.all():
            detail = f"expected one part or more of {self._names}, got an item without any"
            raise invalid("no_part", detail, f"{at}/{first + int(has_one.argmin())}")

    def without(self, items: Tensors, hidden: Collection[str]) -> dict[str, NDArray[Any]]:
        """The same items without some parts; what is not hidden is not copied."""
        count = len(next(iter(items.values())))
        found = dict(items)
        for part in self.parts:
            if part.name not in hidden:
                continue
            if part.has_flag:
                found[part.flag] = np.zeros_like(items[part.flag])
            else:
                nothing = part.nothing(count)
                found |= {f"{part.name}.{name}": values for name, values in nothing.items()}
        return found

    def lacking(self, items: Tensors) -> list[Lacking]:
        """Parts that some of the items lack."""
        found = []
        for part in self.parts:
            gone = ~part.known(items)
            if gone.any():
                found.append(Lacking(part.name, int(gone.sum()), int(gone.argmax())))
        return found

    def preview(self, items: Tensors) -> list[dict[str, Any]]:
        """`parts`: by name, null where one is missing."""
        count = len(next(iter(items.values())))
        shown: list[dict[str, Any]] = [{} for _ in range(count)]
        for part in self.parts:
            known, own = part.known(items), part.of(items)
            member = part.inputs.member is None
            for place, each in enumerate(part.inputs.preview(own)):
                value = next(iter(each.values())) if member else each
                shown[place][part.name] = value if known[place] else None
        return shown

    def raw(self, items: Tensors) -> list[Any]:
        """Objects as clients send them, pictures as nested arrays."""
        count = len(next(iter(items.values())))
        found: list[dict[str, Any]] = [{} for _ in range(count)]
        for part in self.parts:
            known, own = part.known(items), part.of(items)
            sent = part.inputs.raw(own)
            if sent is None:
                (values,) = own.values()
                sent = np.asarray(values).tolist()
            for place, value in enumerate(sent):
                found[place][part.name] = value if known[place] else None
        return found

    def extremes(self, sample: Tensors) -> Tensors:
        """Those of each part beside each other, and an item without each."""
        each = {part.name: part.inputs.extremes(part.of(sample)) for part in self.parts}
        rows = max(len(next(iter(own.values()))) for own in each.values())
        count = rows + len(self.parts)
        found: dict[str, NDArray[Any]] = {}
        for place, part in enumerate(self.parts):
            known = np.arange(count) != rows + place
            taken = np.arange(int(known.sum()))
            own = {name: values[taken % len(values)] for name, values in each[part.name].items()}
            found |= part.placed(own, known)
        return found

    def of_model(self, sample: Tensors) -> Self:
        parts = tuple(
            part.model_copy(update={"inputs": part.inputs.of_model(part.of(sample))})
            for part in self.parts
        )
        return self.model_copy(update={PARTS: parts})

    def in_list(self, most: int) -> Self:
        parts = [
            part.model_copy(update={"inputs": part.inputs.in_list(most)}) for part in self.parts
        ]
        return self.model_copy(update={"parts": tuple(parts)})

    def sketch(self, items: Tensors) -> Sketch:
        """Sketches of the parts, beside each other; of a row as the distance of tables has it."""
        rows = sketched(len(next(iter(items.values()))))
        found = []
        for part in self.parts:
            own = part.of(items)
            if isinstance(part.inputs, TableInputs):
                values = np.asarray(own[ROW])[rows]
                columns = enumerate(part.inputs.columns)
                found.append(np.concatenate([c.sketch(values[:, i]) for i, c in columns], axis=1))
            else:
                found.append(part.inputs.sketch(own))
        return np.concatenate(found, axis=1).astype(np.float32)

    @property
    def _names(self) -> str:
        return ", ".join(f"`{part.name}`" for part in self.parts)

    def _check(self, item: Any, at: str) -> None:
        """Raises Invalid unless it is an object of parts."""
        if not isinstance(item, Mapping):
            raise invalid("not_an_item", f"expected an object with parts, {self._names}", at)
        for name in item:
            if self.part(name) is None:
                detail = f"expected no parts but those that the model knows, {self._names}"
                raise invalid("unknown_part", detail, f"{at}/{token(name)}")
        if all(item.get(part.name) is None for part in self.parts):
            detail = f"expected one part or more of {self._names}, got an item without any"
            raise invalid("no_part", detail, at)
