"""A text that a model's tokenizer fails at is the request's matter, not the service's."""

from pathlib import Path

import pytest

from app.errors import Invalid
from app.inputs.text import coded
from app.inputs.tokens import Tokeniser
from app.prediction.encoding import prepare_of
from tests.encoders.tiny import tiny, with_pattern

pytest.importorskip("tokenizers", reason="needs the extra `text`")


def test_what_cannot_be_cut_is_refused(tmp_path: Path) -> None:
    """Its pattern gives up at repeated letters, which it does as no Exception."""
    folder = tiny(tmp_path)
    tokenizer = with_pattern(folder.tokenizer.read_bytes())
    prepare = prepare_of(Tokeniser(tokenizer, folder.facts()))
    prepare(coded(["a plain text"], 64))
    with pytest.raises(Invalid) as refusal:
        prepare(coded(["a plain text", "Ж" * 64], 64))
    assert refusal.value.code == "cannot_be_cut"
