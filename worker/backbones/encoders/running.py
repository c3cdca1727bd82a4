"""An encoder in memory: texts -> features, a few at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from app.inputs.encoders import EncoderFacts
from app.inputs.tokens import IDS, MASK, CannotCut, Tokeniser, Tokens, padded
from worker.backbones.encoders.refusing import refused

FEATURES = "features"
AT_ONCE = 1024  # tokens, those of padding among them, that go through together

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Encoder:
    runtime: Any  # a session of ONNX Runtime
    tokeniser: Tokeniser
    facts: EncoderFacts

    @classmethod
    def load(cls, graph: bytes, tokenizer: bytes, facts: EncoderFacts) -> "Encoder":
        """Raises ValueError where one of the files cannot be read, ModuleNotFoundError without the
        package that reads tokenizers."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # a worker's slots share the cores
        options.enable_cpu_mem_arena = False  # lengths differ: an arena keeps the largest of each
        options.log_severity_level = 3
        try:
            runtime = onnxruntime.InferenceSession(
                graph, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's share no class of their own
            raise ValueError(f"expected a graph that ONNX Runtime runs, got: {error}") from error
        return cls(runtime, Tokeniser(tokenizer, facts), facts)

    def run(self, tokens: Tokens) -> Floats:
        """(n, tokens) -> the graph's own features (n, dimension)."""
        feed = {IDS: tokens.ids, MASK: tokens.mask}
        found: Floats = self.runtime.run([FEATURES], feed)[0]
        return found

    def encoded(self, tokens: Tokens) -> Floats:
        """The same, centred and scaled as the facts say."""
        centre = np.array(self.facts.centre, np.float32) if self.facts.centre else 0
        scaled: Floats = (self.run(tokens) - centre) * np.float32(self.facts.scale)
        return scaled

    def features(self, texts: Sequence[str], look: Callable[[], None] = lambda: None) -> Floats:
        """Features (n, dimension) as `encoded` gives them, each computed among others
        of about its length, which changes it by no more than rounding.

        Args:
            look: called between two batches; what it raises ends the computation.

        Raises:
            WorkFailure: `encoder_refused`, for a text that the tokenizer fails at.
        """
        try:
            ids = [self.tokeniser.ids_of(text) for text in texts]
        except CannotCut as error:
            detail = f"expected a tokenizer that cuts any text, got one that fails: {error}"
            raise refused(detail) from error
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        found = np.empty((len(ids), self.facts.dimension), np.float32)
        for batch in batches(order, [len(each) for each in ids]):
            look()
            tokens = padded([ids[place] for place in batch], self.facts.pad_id)
            found[batch] = self.encoded(tokens)
        return found


def batches(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """Places in `order`, rising by their lengths, cut so that no batch is of more than AT_ONCE
    tokens, or is of one."""
    found: list[list[int]] = []
    for place in order:
        if found and lengths[place] * (len(found[-1]) + 1) <= AT_ONCE:
            found[-1].append(place)
        else:
            found.append([place])
    return found
