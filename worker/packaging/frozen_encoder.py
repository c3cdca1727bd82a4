"""A frozen encoder and the network on its features as one graph, from tokens to answers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from app.inputs.encoders import EncoderFacts
from app.inputs.tokens import IDS, MASK, Tokens
from app.prediction.encoding import prepare_of
from app.prediction.feeds import ONE, Prepare
from app.tensors import Tensors
from worker.backbones.encoders.running import FEATURES, Encoder, Floats

CENTRED = "centred_features"
HEAD = "head_"  # before the names of the network's tensors, which could be the encoder's too


@dataclass(frozen=True)
class FrozenEncoder:
    """`graph`: its model.onnx; `encoder`: the same in memory."""

    graph: Path
    encoder: Encoder

    @property
    def prepare(self) -> Prepare:
        """Returns what decoded texts go through before the graph."""
        return prepare_of(self.encoder.tokeniser)

    def features(self, inputs: Tensors) -> Floats:
        """Tokens by their names -> what the network sees, (n, dimension)."""
        return self.encoder.encoded(Tokens(inputs[IDS], inputs[MASK]))

    def join(self, head: Path) -> None:
        """Makes one graph of the file `head`, which takes features, and the encoder."""
        merged = joined(onnx.load(self.graph), self.encoder.facts, onnx.load(head))
        onnx.save(merged, head)


def joined(encoder: onnx.ModelProto, facts: EncoderFacts, head: onnx.ModelProto) -> onnx.ModelProto:
    """A graph from `input_ids` and `attention_mask` to the outputs of `head`."""
    encoder.ir_version = head.ir_version = max(encoder.ir_version, head.ir_version)
    _align(encoder, head)
    _centre(encoder.graph, facts)
    outputs = [output.name for output in head.graph.output]
    prefixed = compose.add_prefix(head, HEAD)
    merged = compose.merge_models(encoder, prefixed, io_map=[(CENTRED, f"{HEAD}{ONE}")])
    for output, name in zip(merged.graph.output, outputs, strict=True):
        merged.graph.node.append(helper.make_node("Identity", [output.name], [name]))
        output.name = name
    onnx.checker.check_model(merged)
    return merged


def _align(encoder: onnx.ModelProto, head: onnx.ModelProto) -> None:
    """Both in one version of ONNX's operators; of other domains both name the same ones."""
    versions = {each.domain: each.version for each in (*encoder.opset_import, *head.opset_import)}
    for model in (encoder, head):
        named = {each.domain for each in model.opset_import}
        for domain, version in versions.items():
            if domain not in named:
                model.opset_import.append(helper.make_opsetid(domain, version))


def _centre(graph: onnx.GraphProto, facts: EncoderFacts) -> None:
    """(features - centre) * scale, in place of the features."""
    for name, values in (
        ("features_centre", np.array(facts.centre or [0.0] * facts.dimension, np.float32)),
        ("features_scale", np.float32(facts.scale)),
    ):
        graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
    graph.node.append(helper.make_node("Sub", [FEATURES, "features_centre"], ["off_centre"]))
    graph.node.append(helper.make_node("Mul", ["off_centre", "features_scale"], [CENTRED]))
    del graph.output[:]
    shape = ["n", facts.dimension]
    graph.output.append(helper.make_tensor_value_info(CENTRED, TensorProto.FLOAT, shape))
