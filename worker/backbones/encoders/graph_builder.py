"""Nodes and constants of an ONNX graph of an encoder, in the order in which they are named."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from app.inputs.tokens import IDS, MASK
from worker.backbones.encoders.running import FEATURES

OPSET, IR_VERSION = 18, 9
RUNTIME = "com.microsoft"  # operators of ONNX Runtime


class GraphBuilder:
    def __init__(self, constants: Mapping[str, Any]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        for name, values in constants.items():
            self.constant(name, np.asarray(values))

    def constant(self, name: str, values: Any) -> str:
        whole = np.array(values, order="C")  # a number stays one
        self.constants.append(numpy_helper.from_array(whole, name))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def encoder(self, dimension: int) -> onnx.ModelProto:
        """The graph from tokens to the node FEATURES, checked."""
        takes = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "tokens"])
            for name in (IDS, MASK)
        ]
        gives = helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, ["n", dimension])
        graph = helper.make_graph(self.nodes, "encoder", takes, [gives], self.constants)
        domains = {"": OPSET} | {each.domain: 1 for each in self.nodes if each.domain}
        imports = [helper.make_opsetid(domain, version) for domain, version in domains.items()]
        model = helper.make_model(graph, opset_imports=imports, producer_name="ktl")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        return model
