"""Only a graph that answers as it was trained becomes a session."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from app.inputs.image import ImageInputs
from app.prediction.sessions import LoadFailed, Session, apart, load
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from tests.prediction.site import LABELS, SHAPE, softmax, weights, write_golden, write_graph

INPUTS = ImageInputs(shape=SHAPE, dtype="uint8")
TASK = Classification(classes=tuple(LABELS))
FOUR = Classification(classes=tuple("abcd"))


def loaded(folder: Path, graph: np.ndarray, golden: np.ndarray) -> Session:
    write_graph(folder / "model.onnx", graph)
    write_golden(folder / "golden.npz", golden)
    return load(folder / "model.onnx", folder / "golden.npz", INPUTS, TASK)


def test_a_session_answers_more_inputs_than_one_run_takes(tmp_path: Path) -> None:
    session = loaded(tmp_path, weights(1), weights(1))
    assert session.chunk_rows == 2 * 2**20 // (4 * 16)
    inputs = np.random.default_rng(1).uniform(0, 255, (session.chunk_rows + 5, *SHAPE))
    answered = session.run(inputs.astype(np.float32))
    np.testing.assert_allclose(
        answered, softmax(inputs.reshape(len(inputs), -1) @ weights(1)), atol=1e-5
    )


def test_a_tiny_model_runs_in_the_event_loop(tmp_path: Path) -> None:
    assert loaded(tmp_path, weights(0), weights(0)).inline_rows >= 1


def test_the_gate_refuses_what_is_just_above_its_tolerance(tmp_path: Path) -> None:
    nearly = weights(0)
    nearly[:, 0] *= 1.01
    with pytest.raises(LoadFailed, match=r"within 0\.0001 of the trainer's .* off"):
        loaded(tmp_path, nearly, weights(0))


def of_the_grid(folder: Path, bits: int) -> Session:
    """A graph that answers 50.01 Hz, where the trainer said so many units in the last place more.
    The quantity's deviation is 0.02 Hz, of which the tolerance is half of such a unit."""
    said = np.float32(50.01)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["inputs"], ["flat"]),
            helper.make_node("MatMul", ["flat", "matrix"], ["nothing"]),
            helper.make_node("Add", ["nothing", "said"], ["values"]),
        ],
        "constant",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["n", *SHAPE])],
        [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["n", 1])],
        [
            numpy_helper.from_array(np.zeros((16, 1), np.float32), "matrix"),
            numpy_helper.from_array(np.array([said]), "said"),
        ],
    )
    opset = helper.make_opsetid("", 18)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=10)
    onnx.save(model, str(folder / "model.onnx"))
    values = np.full((8, 1), said + bits * np.spacing(said), np.float32)
    np.savez(folder / "golden.npz", inputs=np.zeros((8, *SHAPE), np.float32), values=values)
    task = Regression(unit="Hz", mean=50.0, std=0.02)
    return load(folder / "model.onnx", folder / "golden.npz", INPUTS, task)


def test_the_last_bits_of_a_quantity_that_hardly_varies_are_nobodys_fault(tmp_path: Path) -> None:
    assert np.spacing(np.float32(50.01)) > 1e-4 * 0.02
    for bits in (0, 1, 2):
        of_the_grid(tmp_path, bits)
    with pytest.raises(LoadFailed, match="off"):
        of_the_grid(tmp_path, 3)


def test_differences_beyond_the_last_bits_by_hand() -> None:
    """The last place of numbers from 32 to 64 is 2^-18, of those from 1/2 to 1 2^-24."""
    said = np.array([[50.0], [50.0]], np.float32)
    off = said + np.float32(5 * 2.0**-18)
    assert apart(said, off) == 3 * 2.0**-18
    sure = np.array([[0.75, 0.25]], np.float32)
    assert apart(sure, sure + np.float32(2.0**-10)) == pytest.approx(2.0**-10, rel=1e-3)
    assert apart(sure, sure) == 0
    assert np.isnan(apart(np.array([[np.nan, 0.0]], np.float32), sure))


def test_a_graph_that_answers_nan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadFailed, match="got nan off"):
        loaded(tmp_path, np.full_like(weights(0), np.nan), weights(0))


def test_a_graph_of_another_shape_is_refused(tmp_path: Path) -> None:
    write_graph(tmp_path / "model.onnx", weights(0))
    write_golden(tmp_path / "golden.npz", weights(0))
    with pytest.raises(LoadFailed, match=r"to \(n, 4\), got \(8, 4, 4, 1\) to \(8, 3\)"):
        load(
            tmp_path / "model.onnx",
            tmp_path / "golden.npz",
            INPUTS,
            Classification(classes=tuple("abcd")),
        )


@pytest.mark.parametrize("broken", ["model.onnx", "golden.npz"])
def test_a_broken_file_is_refused(tmp_path: Path, broken: str) -> None:
    write_graph(tmp_path / "model.onnx", weights(0))
    write_golden(tmp_path / "golden.npz", weights(0))
    (tmp_path / broken).write_bytes(b"broken")
    with pytest.raises(LoadFailed, match="expected an ONNX graph"):
        load(
            tmp_path / "model.onnx",
            tmp_path / "golden.npz",
            INPUTS,
            Classification(classes=tuple(LABELS)),
        )
