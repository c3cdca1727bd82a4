"""Texts on their way to a graph that begins with a frozen encoder: cut into its tokens.

A tokenizer takes some hundreds of megabytes once it is read. All models that have the same one
share it, as long as one of them is served; a process that serves none never imports what reads it.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np

from app.errors import Invalid
from app.inputs.encoders import EXTRA, EncoderIdentity
from app.inputs.text import texts_of
from app.inputs.tokens import IDS, MASK, CannotCut, Tokeniser
from app.prediction.feeds import Part, Prepare
from app.tensors import TensorBatch

_shared: WeakValueDictionary[EncoderIdentity, Tokeniser] = WeakValueDictionary()
_reading = threading.Lock()


class CannotTokenise(Exception):
    """The message says why texts cannot be cut in this process."""


def shared_tokeniser(encoder: EncoderIdentity, path: Callable[[], Path]) -> Tokeniser:
    """The tokenizer of a model's encoder, read once.

    Args:
        path: where the model's tokenizer.json stands.

    Raises:
        CannotTokenise: its file is no tokenizer, or the package that reads it is not installed.
        WorkFailure: the store does not give the file.
    """
    with _reading:
        found = _shared.get(encoder)
        if found is None:
            try:
                found = Tokeniser(path().read_bytes(), encoder)
            except ModuleNotFoundError as error:
                detail = f"expected the package `tokenizers`, got none: {EXTRA}, then restart"
                raise CannotTokenise(detail) from error
            except ValueError as error:
                raise CannotTokenise(str(error)) from error
            _shared[encoder] = found
        return found


def prepare_of(tokeniser: Tokeniser) -> Prepare:
    """Code points (n, length) -> the tensors that the graph takes. What it returns raises Invalid
    for a text that the tokenizer fails at."""

    def prepare(part: Part) -> Part:
        assert isinstance(part, np.ndarray)
        try:
            tokens = tokeniser(texts_of(part))
        except CannotCut as error:
            detail = f"expected texts that the model's tokenizer can cut, got one at which: {error}"
            raise Invalid("cannot_be_cut", detail) from error
        return TensorBatch({IDS: tokens.ids, MASK: tokens.mask})

    return prepare
