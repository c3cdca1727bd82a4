"""Operators whose attributes and inputs are not what their reading knows: refused, and never read
as others. The rest answers as ONNX Runtime does."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from app.errors import WorkFailure
from tests.importing import graphs
from tests.importing.graphs import node
from tests.importing.test_onnx_file import first, logits, read, runtime

RNG = np.random.default_rng(5)
CONSTANTS: dict[str, np.ndarray] = {
    "w": RNG.normal(0, 0.4, (10, 3, 3, 3)).astype(np.float32),
    "g": RNG.normal(0, 0.4, (10, 3)).astype(np.float32),
    "pads": np.array([0, 0, 1, 2, 0, 0, 3, 0], np.int64),
    "sides": np.array([0, 1, 3, 2], np.int64),
    "all": np.array([0, 1, 2, 3], np.int64),
    "kept": np.array([0, 0, 0, 0], np.int64),
    "drawn": np.array(0.5, np.float32),
}
CONV = node("Conv", ["x", "w"], "c")
POOL = node("GlobalAveragePool", ["o"], "p")
END = [POOL, node("Flatten", ["p"], "f"), node("Gemm", ["f", "g"], "logits")]
LAST = node("Transpose", ["c"], "o", perm=[0, 2, 3, 1])


def model(*nodes: onnx.NodeProto, opset: int = 20) -> onnx.ModelProto:
    """A convolution, these, and a dense layer on the mean over height and width."""
    used = {name for each in (CONV, *nodes, *END) for name in each.input}
    constants = {name: value for name, value in CONSTANTS.items() if name in used}
    return graphs.graph([CONV, *nodes, *END], constants, opset=opset)


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Gelu", ["c"], "o", approximate="tanh")],
        [node("Pad", ["c", "pads", "", "sides"], "o")],
        [node("Relu", ["c"], "o", made_up=1)],
        [node("Tanh", ["c", "drawn"], "o")],
        [LAST],
        [LAST, node("GlobalMaxPool", ["o"], "m"), node("Identity", ["m"], "o2")],
        [node("Reshape", ["c", "kept"], "o", allowzero=1)],
    ],
    ids=["gelu", "pad", "attribute", "input", "mean", "maximum", "reshape"],
)
def test_what_reading_does_not_look_at_is_refused(
    nodes: list[onnx.NodeProto], tmp_path: Path
) -> None:
    with pytest.raises(WorkFailure) as caught:
        read(model(*nodes), tmp_path)
    assert caught.value.reason == "unsupported_operator"
    assert str(caught.value.pointer).startswith("#/file/graph/node/")


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Gelu", ["c"], "o", approximate="none")],
        [node("Gelu", ["c"], "o")],
        [node("Dropout", ["c", "drawn"], "o", seed=3)],
        [node("Cast", ["c"], "o", to=1, saturate=1)],
        [
            node(
                "AveragePool",
                ["c"],
                "o",
                kernel_shape=[2, 2],
                auto_pad="VALID",
                count_include_pad=1,
                ceil_mode=0,
            )
        ],
    ],
    ids=["gelu", "plain gelu", "dropout", "cast", "pool"],
)
def test_what_changes_nothing_is_taken(nodes: list[onnx.NodeProto], tmp_path: Path) -> None:
    made = model(*nodes)
    found = read(made, tmp_path)
    np.testing.assert_allclose(logits(found), runtime(made, first(found)), atol=1e-5)
