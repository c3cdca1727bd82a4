"""Only a graph that answers as it was trained becomes a session."""

from pathlib import Path

import numpy as np
import pytest

from app.inputs.image import ImageInputs
from app.prediction.sessions import LoadFailed, Session, load
from app.tasks.classification import Classification
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
