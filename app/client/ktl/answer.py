"""Answers of the API: JSON whose members are attributes too."""

import json
from typing import Any, Protocol, TypeVar

Kind = TypeVar("Kind")


class ApiAnswer(dict[str, Any]):
    """An object of the API's JSON. `answer.name` is `answer["name"]`; a member that is named like a
    method of dict or a word of Python has an underscore after it: `items_`, `values_`, `from_`.

    >>> answer = ApiAnswer(id="ds_1", items=5)
    >>> answer.id, answer.items_
    ('ds_1', 5)
    """

    def __getattr__(self, name: str) -> Any:
        for member in (name, name.removesuffix("_")):
            if member in self:
                return self[member]
        raise AttributeError(f"expected one of {', '.join(map(str, self))}; got {name}")

    def __dir__(self) -> list[str]:
        taken = dir(dict)
        return [*super().__dir__(), *(f"{name}_" if name in taken else name for name in self)]


class WithStatus(Protocol):
    """An answer that says how far something is."""

    @property
    def status(self) -> str: ...


def read(kind: type[Kind], content: bytes | str) -> Kind:
    """JSON of an object; every object in it is an answer, however deep it stands. Raises ValueError
    for anything else."""
    found: Any = json.loads(content, object_hook=ApiAnswer)
    if not isinstance(found, ApiAnswer):
        raise ValueError(f"expected an object, got {type(found).__name__}")
    # Each kind is made of an answer, which its type cannot say.
    return found if isinstance(found, kind) else kind(found)  # type: ignore[call-arg]
