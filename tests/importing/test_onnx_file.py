"""A network that came as an ONNX graph answers as ONNX Runtime does, and can be trained."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from app.errors import FailureCode, WorkFailure
from app.models.importing import ImportSpec
from tests.importing import archives, graphs
from tests.importing.graphs import node
from worker.importing.importing import packaged
from worker.importing.network import ImportedNetwork
from worker.importing.onnx_file import read_nodes, read_onnx
from worker.importing.onnx_graph import read_graph

SECRET = "a-name-that-must-not-come-back"


def read(model: onnx.ModelProto, folder: Path, **members: Any) -> ImportedNetwork:
    members = {"inputs": {"expects": [0, 1]}, **members}
    path = graphs.saved(model, folder / "n.onnx")
    return read_onnx(path, ImportSpec.model_validate(archives.spec(**members)))


def pictures(found: ImportedNetwork) -> np.ndarray:
    shape = found.signature.inputs.layout
    return np.random.default_rng(0).integers(0, 256, (4, *shape)).astype(np.float32)


def logits(found: ImportedNetwork) -> np.ndarray:
    return np.asarray(found.network.raw_outputs({"image": pictures(found)}))


def runtime(model: onnx.ModelProto, inputs: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    rows = [session.run(None, {"x": row[None].astype(np.float32)})[0] for row in inputs]
    return np.concatenate(rows)


def first(found: ImportedNetwork) -> np.ndarray:
    """Pictures as the graph takes them: 0 to 1, channels first."""
    return pictures(found).transpose(0, 3, 1, 2) / 255


def test_a_residual_network_of_another_framework(tmp_path: Path) -> None:
    model = graphs.residual()
    found = read(model, tmp_path)
    assert found.signature.inputs.shape == (12, 12, 3)
    np.testing.assert_allclose(logits(found), runtime(model, first(found)), atol=1e-4)
    assert len(found.network.norms) == 1
    assert found.told["format"] == "onnx"


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_all_numbers_of_a_picture_in_the_graph_s_order(opset: int, tmp_path: Path) -> None:
    model = graphs.flat(opset)
    found = read(model, tmp_path)
    scores = np.asarray(keras.ops.softmax(logits(found)))
    np.testing.assert_allclose(scores, runtime(model, first(found)), atol=1e-5)


def test_a_graph_with_channels_last_that_turns_them(tmp_path: Path) -> None:
    """As tf2onnx writes it."""
    model = graphs.residual()
    turn = node("Transpose", ["y"], "x", perm=[0, 3, 1, 2])
    model.graph.node.insert(0, turn)
    model.graph.input[0].CopyFrom(
        helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 12, 12, 3])
    )
    found = read(model, tmp_path)
    assert found.signature.inputs.shape == (12, 12, 3)
    plain = read(graphs.residual(), tmp_path)
    np.testing.assert_allclose(logits(found), logits(plain), atol=1e-5)


def test_what_a_job_made_can_come_back(tmp_path: Path) -> None:
    """A graph that this service has packaged is read as any other."""
    made = tmp_path / "made"
    made.mkdir()
    first_read = read(graphs.residual(), tmp_path)
    files, _ = packaged(first_read, made)
    again = onnx.load(files["onnx"])
    found = read(again, tmp_path, inputs={"expects": [0, 255]})
    np.testing.assert_allclose(
        keras.ops.softmax(logits(found)), keras.ops.softmax(logits(first_read)), atol=1e-5
    )


def test_features_are_what_stands_before_the_last_layer(tmp_path: Path) -> None:
    model = graphs.residual()
    found = read(model, tmp_path, classes=None, head="drop")
    del model.graph.node[-1]
    model.graph.output[0].name = "features"
    features = found.network.raw_features({"image": pictures(found)})
    np.testing.assert_allclose(features, runtime(model, first(found)), atol=1e-4)


def test_sides_that_are_free_are_asked_for(tmp_path: Path) -> None:
    model = graphs.residual()
    for number in (2, 3):
        model.graph.input[0].type.tensor_type.shape.dim[number].dim_param = "side"
    with pytest.raises(WorkFailure) as caught:
        read(model, tmp_path)
    assert caught.value.reason == "shape_unknown"
    found = read(model, tmp_path, inputs={"expects": [0, 1], "shape": [16, 14, 3]})
    np.testing.assert_allclose(logits(found), runtime(model, first(found)), atol=1e-4)


def refused(model: onnx.ModelProto | bytes, folder: Path) -> WorkFailure:
    path = folder / "n.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    spec = archives.spec(inputs={"expects": [0, 1]})
    with pytest.raises(WorkFailure) as caught:
        read_onnx(path, ImportSpec.model_validate(spec))
    failure = caught.value
    assert failure.code is FailureCode.MODEL_INVALID
    assert str(failure.pointer).startswith(("#/file", "#/spec"))
    assert SECRET not in str(failure.as_json())
    return failure


def changed(change: Callable[[onnx.ModelProto], None]) -> onnx.ModelProto:
    model = graphs.residual()
    change(model)
    return model


def _external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[2]
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "/etc/passwd"), ("offset", "0"), ("length", "9")):
        tensor.external_data.add(key=key, value=value)
    tensor.ClearField("raw_data")


def _external_within_a_node(model: onnx.ModelProto) -> None:
    tensor = TensorProto(dims=[1], data_type=1, name="c", data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    model.graph.node.insert(0, helper.make_node("Constant", [], ["c"], value=tensor))


def _own_domain(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid(SECRET, 1))


def _own_operator(model: onnx.ModelProto) -> None:
    model.graph.node[4].domain = SECRET


def _loop(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "b", [], [])
    model.graph.node[4].CopyFrom(
        helper.make_node("If", ["n0"], ["r0"], then_branch=body, else_branch=body)
    )


def _function(model: onnx.ModelProto) -> None:
    made = helper.make_function(
        SECRET, "F", ["a"], ["b"], [node("Relu", ["a"], "b")], [helper.make_opsetid("", 17)]
    )
    model.functions.append(made)


def _unknown(model: onnx.ModelProto) -> None:
    model.graph.node[4].op_type = SECRET


def _short(model: onnx.ModelProto) -> None:
    model.graph.initializer[2].raw_data = b"\0\0\0\0"


def _declared_huge(model: onnx.ModelProto) -> None:
    model.graph.initializer[2].dims[0] = 2**40


def _infinite(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[2]
    tensor.raw_data = np.full(tensor.dims, np.inf, np.float32).tobytes()


def _texts(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


def _two_inputs(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1]))


def _fixed_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 8


def _missing(model: onnx.ModelProto) -> None:
    del model.graph.node[4]


def _circle(model: onnx.ModelProto) -> None:
    model.graph.node[2].input[0] = "r0"


def _padded_maximum(model: onnx.ModelProto) -> None:
    model.graph.node[5].input[0] = "n0"


def _grouped(model: onnx.ModelProto) -> None:
    model.graph.node[8].attribute.append(helper.make_attribute("group", 2))


def _old(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 6


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_external, "external_weights"),
        (_external_within_a_node, "external_weights"),
        (_own_domain, "unknown_operator"),
        (_own_operator, "unknown_operator"),
        (_loop, "unknown_operator"),
        (_function, "unknown_operator"),
        (_unknown, "unknown_operator"),
        (_short, "weights_unreadable"),
        (_declared_huge, "weights_unreadable"),
        (_infinite, "not_finite"),
        (_texts, "input_type"),
        (_two_inputs, "several_inputs"),
        (_fixed_batch, "fixed_batch"),
        (_missing, "unsupported_operator"),
        (_circle, "unsupported_operator"),
        (_padded_maximum, "unsupported_operator"),
        (_grouped, "unsupported_operator"),
        (_old, "unknown_opset"),
    ],
)
def test_a_hostile_graph(
    change: Callable[[onnx.ModelProto], None], code: str, tmp_path: Path
) -> None:
    assert refused(changed(change), tmp_path).reason == code


@pytest.mark.parametrize("content", [b"", b"\x08\x09", b"not a graph at all", b"PK\x03\x04"])
def test_what_is_no_graph(content: bytes, tmp_path: Path) -> None:
    assert refused(content, tmp_path).reason in {"not_an_onnx_graph", "unknown_opset"}


def test_a_graph_of_which_any_byte_is_another(tmp_path: Path) -> None:
    """Nothing but a refusal by name comes of it."""
    content = graphs.residual().SerializeToString()
    rng = np.random.default_rng(0)
    path = tmp_path / "n.onnx"

    for _ in range(300):
        broken = bytearray(content)
        for place in rng.integers(0, len(broken), 3):
            broken[place] = rng.integers(0, 256)
        path.write_bytes(bytes(broken))
        try:
            read_nodes(read_graph(path), (12, 12, 3), "first")
        except WorkFailure as failure:
            if failure.code is not FailureCode.MODEL_INVALID:
                raise
