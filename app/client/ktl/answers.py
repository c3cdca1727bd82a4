"""Types of answers, for type checkers and editors: answers.pyi, made from the API's description.

While a program runs each of them is an `ApiAnswer`; a report also shows itself in a notebook.
"""

from typing import Any

from .answer import ApiAnswer
from .shown import ShownReport as Report

__all__ = ["Report"]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return ApiAnswer
