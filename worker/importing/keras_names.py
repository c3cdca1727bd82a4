"""The names under which Keras stores the weights of a list of layers: those of their classes."""

import re
from collections import Counter


class Names:
    """The n-th layer of a class in a list is `CLASS_n`, the first `CLASS` alone (as
    `keras.src.saving.saving_lib` has it)."""

    def __init__(self, before: str) -> None:
        self._before = before
        self._seen: Counter[str] = Counter()

    def of(self, class_name: str) -> str:
        name = snake_case(class_name)
        number = self._seen[name]
        self._seen[name] += 1
        return f"{self._before}{name}_{number}" if number else f"{self._before}{name}"


def snake_case(name: str) -> str:
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
