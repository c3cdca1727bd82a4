"""A multi-label classification over HTTP: the labels that an item has, and their scores."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from app.inputs.image import ImageInputs
from app.models import repository as models
from app.models.schemas import Signature
from app.tasks.multi_label import MultiLabel
from tests.prediction.protocols.test_native import URL, images
from tests.prediction.site import SHAPE, Site, problem
from tests.prediction.ways import OPEN_INFERENCE, TENSORFLOW_SERVING, tensor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NAMES = ("sky", "sea", "sun", "fog")
LOGITS = np.array([1.0, -1.0, 2.0, 0.0], np.float32)  # of a white picture; of a black one all 0
MATRIX = np.tile(LOGITS / (255 * int(np.prod(SHAPE))), (int(np.prod(SHAPE)), 1))
SCORES = 1 / (1 + np.exp(-LOGITS))


def deploy(site: Site, folder: Path) -> None:
    paths = folder / "model.onnx", folder / "golden.npz"
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["inputs"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "matrix"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
        ],
        "network",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["n", *SHAPE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(NAMES)])],
        [numpy_helper.from_array(MATRIX.astype(np.float32), "matrix")],
    )
    opset = helper.make_opsetid("", 18)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=10), str(paths[0]))
    inputs = np.full((8, *SHAPE), 255, np.float32)
    np.savez(paths[1], inputs=inputs, probabilities=np.tile(SCORES, (8, 1)))
    files = {
        kind: site.storage.put(path) for kind, path in zip(("onnx", "golden"), paths, strict=True)
    }
    signature = Signature(
        inputs=ImageInputs(shape=SHAPE, dtype="uint8", value_range=(0, 255)),
        task=MultiLabel(labels=NAMES),
    )
    with site.database.write() as session:
        model = models.add(session, "default", "m", None, None, files, signature, {"arm": "lp_ft"})
    site.deploy("pets", model.id)


def white(count: int) -> np.ndarray:
    return np.full((count, *SHAPE), 255, np.uint8)


def test_labels_of_a_half_or_more_are_answered_best_first(site: Site, tmp_path: Path) -> None:
    deploy(site, tmp_path)
    answer = site.client.post(URL, json={"inputs": white(2).tolist()}).json()
    assert [list(output) for output in answer["outputs"]] == [["labels"]] * 2
    for output in answer["outputs"]:
        assert [each["label"] for each in output["labels"]] == ["sun", "sky", "fog"]
        scores = [each["score"] for each in output["labels"]]
        assert scores == pytest.approx([SCORES[2], SCORES[0], 0.5], abs=1e-6)
    assert (answer["calibrated"], answer["temperature"]) == (False, 1)


def test_top_k_answers_so_many_scores_beside_them(site: Site, tmp_path: Path) -> None:
    deploy(site, tmp_path)
    body = {"inputs": white(1).tolist(), "top_k": 4, "raw_scores": True}
    (output,) = site.client.post(URL, json=body).json()["outputs"]
    assert [each["label"] for each in output["scores"]] == ["sun", "sky", "fog", "sea"]
    assert output["scores"][:3] == output["labels"]
    assert output["scores"][3]["score"] == pytest.approx(SCORES[1], abs=1e-6)
    refused = problem(site.client.post(URL, json={**body, "top_k": 5}), 422, "invalid_value")
    assert refused["errors"][0]["pointer"] == "#/top_k"


def test_the_other_protocols_answer_probabilities(site: Site, tmp_path: Path) -> None:
    deploy(site, tmp_path)
    expected = np.tile(SCORES, (3, 1))
    served = site.client.post(TENSORFLOW_SERVING, json={"instances": white(3).tolist()}).json()
    assert np.array(served["predictions"]) == pytest.approx(expected, abs=1e-6)
    metadata = site.client.get("/v2/models/pets").json()
    (told,) = metadata["outputs"]
    assert (told["name"], told["shape"]) == ("probabilities", [-1, 4])
    question = {"inputs": [tensor(white(3))], "outputs": [{"name": "probabilities"}]}
    (output,) = site.client.post(OPEN_INFERENCE, json=question).json()["outputs"]
    assert output["shape"] == [3, 4]
    assert output["data"] == pytest.approx(np.ravel(expected), abs=1e-6)


def test_no_label_may_be_the_answer(site: Site, tmp_path: Path) -> None:
    """Of noise every label but one has a half or more; of that one nothing is said."""
    deploy(site, tmp_path)
    (output,) = site.client.post(URL, json={"inputs": images(1).tolist()}).json()["outputs"]
    assert "sea" not in [each["label"] for each in output["labels"]]
