"""A regression over HTTP: values, and nothing of what only classes have."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from app.inputs.image import ImageInputs
from app.models import repository as models
from app.models.schemas import Signature
from app.prediction.sessions import LoadFailed, load
from app.tasks.regression import Regression
from tests.prediction.protocols.test_native import URL, images
from tests.prediction.site import SHAPE, Site, problem
from tests.prediction.ways import OPEN_INFERENCE, TENSORFLOW_SERVING, tensor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

INPUTS = ImageInputs(shape=SHAPE, dtype="uint8", value_range=(0, 255))
TASK = Regression(unit="USD", mean=100_000.0, std=20_000.0)
MATRIX = np.full((int(np.prod(SHAPE)), 1), 50.0, np.float32)


def write(folder: Path, off: float = 0.0) -> tuple[Path, Path]:
    """A graph that answers 50 USD a grey level, and its golden answers."""
    paths = folder / "model.onnx", folder / "golden.npz"
    shape = ["n", *SHAPE]
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["inputs"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "matrix"], ["values"]),
        ],
        "network",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(MATRIX, "matrix")],
    )
    opset = helper.make_opsetid("", 18)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=10), str(paths[0]))
    inputs = np.random.default_rng(0).integers(0, 256, (8, *SHAPE)).astype(np.float32)
    np.savez(paths[1], inputs=inputs, values=inputs.reshape(8, -1) @ MATRIX + off)
    return paths


def deploy(site: Site, folder: Path) -> None:
    onnx_file, golden = write(folder)
    files = {"onnx": site.storage.put(onnx_file), "golden": site.storage.put(golden)}
    with site.database.write() as session:
        signature = Signature(inputs=INPUTS, task=TASK)
        model = models.add(session, "default", "m", None, None, files, signature, {"arm": "lp_ft"})
    site.deploy("pets", model.id)


def test_values_are_answered(site: Site, tmp_path: Path) -> None:
    deploy(site, tmp_path)
    array = images(5)
    answer = site.client.post(URL, json={"inputs": array.tolist()}).json()
    expected = (array.reshape(5, -1) @ MATRIX)[:, 0]
    assert [list(output) for output in answer["outputs"]] == [["value"]] * 5
    assert [output["value"] for output in answer["outputs"]] == pytest.approx(expected, rel=1e-6)
    assert (answer["calibrated"], answer["temperature"]) == (False, 1)


def test_the_other_protocols_answer_the_same_values(site: Site, tmp_path: Path) -> None:
    deploy(site, tmp_path)
    array = images(3)
    expected = (array.reshape(3, -1) @ MATRIX).tolist()
    served = site.client.post(TENSORFLOW_SERVING, json={"instances": array.tolist()}).json()
    assert np.array(served["predictions"]) == pytest.approx(np.array(expected), rel=1e-6)
    (told,) = site.client.get("/v2/models/pets").json()["outputs"]
    assert told == {"name": "values", "datatype": "FP32", "shape": [-1, 1]}
    question = {"inputs": [tensor(array)], "outputs": [{"name": "values"}]}
    (output,) = site.client.post(OPEN_INFERENCE, json=question).json()["outputs"]
    assert (output["name"], output["shape"]) == ("values", [3, 1])
    assert output["data"] == pytest.approx(np.ravel(expected), rel=1e-6)
    question["outputs"] = [{"name": "probabilities"}]
    refused = site.client.post(OPEN_INFERENCE, json=question)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/outputs/0/name"


@pytest.mark.parametrize("asked", [{"top_k": 1}, {"raw_scores": True}])
def test_what_only_classes_have_is_refused(
    site: Site, tmp_path: Path, asked: dict[str, object]
) -> None:
    deploy(site, tmp_path)
    body = {"inputs": images(1).tolist(), **asked}
    refused = problem(site.client.post(URL, json=body), 422, "no_classes")
    assert refused["errors"][0]["pointer"] == f"#/{next(iter(asked))}"


def test_a_graph_is_held_against_its_golden_answers_in_standard_deviations(
    tmp_path: Path, database_url: str
) -> None:
    load(*write(tmp_path, off=1.0), INPUTS, TASK)
    with pytest.raises(LoadFailed, match="expected values within 2 of the trainer's"):
        load(*write(tmp_path, off=3.0), INPUTS, TASK)
