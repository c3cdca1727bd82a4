"""Models whose explanations are known by hand, one of each modality, behind one API."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import orjson
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from app.inputs import Inputs
from app.inputs.columns import NumberColumn
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.table import TableInputs
from app.inputs.text import TEXT, TextInputs, coded
from app.models import repository as models
from app.models.schemas import Signature
from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.regression import Regression
from tests.picture_files import file_of
from tests.prediction import tables, test_texts
from tests.prediction.site import LABELS, SHAPE, Site, site_on_sqlite, write_golden, write_graph

DEPLOYED = "/v1/deployments/{}/explain"
PICTURES = ImageInputs(shape=SHAPE, dtype="uint8", value_range=(0, 255))
EYE = (1, 2)  # the one pixel that decides
MATRIX = np.zeros((*SHAPE, len(LABELS)), np.float32)
MATRIX[EYE] = [[2 / 255, 0, 0]]
MATRIX = MATRIX.reshape(-1, len(LABELS))

JOINED = JoinedInputs(
    parts=(
        JoinedPart(name="photo", inputs=PICTURES),
        JoinedPart(
            name="house",
            inputs=TableInputs(
                columns=(
                    NumberColumn.fit("area", np.arange(20.0, 60.0)),
                    NumberColumn.fit("age", np.arange(0.0, 99.0)),
                )
            ),
        ),
        JoinedPart(name="note", inputs=TextInputs(length=32)),
    )
)
PRICE = Regression(name="price", unit="EUR", mean=1000.0, std=500.0)
SLOPES = np.array([3.0, -2.0], np.float32)  # EUR per unit of area and of age
OF_A_LETTER, OF_A_LEVEL = 7.0, 0.5  # EUR per code point of a text, and per level of a picture


@contextmanager
def site_of_all(folder: Path) -> Iterator[Site]:
    """A site that serves one model of each modality."""
    with site_on_sqlite(folder) as site:
        for deploy in (tables.deploy, deploy_pictures, deploy_texts, deploy_joined):
            deploy(site, folder)
        yield site


def price(pixels: Any, row: Any, text: str) -> float:
    """By the joined model's formula: what is missing counts 0."""
    of_row = float(np.nan_to_num(np.array(row, np.float64)) @ SLOPES)
    return float(np.sum(pixels)) * OF_A_LEVEL + of_row + len(text) * OF_A_LETTER


def add(
    site: Site, name: str, files: dict[str, Path], inputs: Inputs, task: Task, **of: Any
) -> None:
    stored = {kind: site.storage.put(path) for kind, path in files.items()}
    signature = Signature(inputs=inputs, task=task, **of)
    with site.database.write() as session:
        card = {"arm": "scratch"}
        model = models.add(session, "default", name, None, None, stored, signature, card)
    site.deploy(name, model.id)


def _files(folder: Path) -> dict[str, Path]:
    return {"onnx": folder / "model.onnx", "golden": folder / "golden.npz"}


def deploy_pictures(site: Site, folder: Path) -> None:
    """`eye`: softmax of the weights of one pixel."""
    files = _files(folder)
    write_graph(files["onnx"], MATRIX)
    write_golden(files["golden"], MATRIX)
    add(site, "eye", files, PICTURES, Classification(classes=tuple(LABELS)))


def deploy_texts(site: Site, folder: Path) -> None:
    """`letters`: softmax of how many a and b a text has."""
    files = _files(folder)
    test_texts.write_graph(files["onnx"])
    codes = coded(["a", "ab"], 32)
    raw = np.frombuffer(orjson.dumps(test_texts.INPUTS.raw({TEXT: codes})), np.uint8)
    scores = test_texts.expected(["a", "ab"])
    np.savez(files["golden"], inputs=codes, probabilities=scores, raw=raw)
    task = Classification(classes=test_texts.CLASSES)
    add(site, "letters", files, test_texts.INPUTS, task)


def deploy_joined(site: Site, folder: Path) -> None:
    """`houses`: `price` of an item."""
    files = _files(folder)
    _write_joined(files["onnx"])
    sent = [whole_item(), whole_item() | {"note": None}]
    tensors = JOINED.decode(sent, "#")
    texts = (sent[0]["note"], "")
    values = [[price(sent[0]["photo"], [50, 10], text)] for text in texts]
    stored = {f"inputs.{name}": value for name, value in tensors.items()}
    raw = np.frombuffer(orjson.dumps(sent), np.uint8)
    np.savez(files["golden"], values=np.array(values, np.float32), raw=raw, **stored)
    add(site, "houses", files, JOINED, PRICE)


def whole_item() -> dict[str, Any]:
    pixels = np.zeros(SHAPE, int)
    pixels[2, 1] = 200
    return {"photo": pixels.tolist(), "house": {"area": 50, "age": 10}, "note": "a quiet house"}


def as_file(item: dict[str, Any]) -> dict[str, Any]:
    picture = file_of(Image.fromarray(np.array(item["photo"], np.uint8)[..., 0]))
    return item | {"photo": {"b64": b64encode(picture).decode()}}


def _write_joined(path: Path) -> None:
    values = {
        "zero": np.float32(0),
        "slopes": SLOPES[:, None],
        "code": np.int32(0),
        "letter": np.float32(OF_A_LETTER),
        "level": np.float32(OF_A_LEVEL),
        "last": np.array([1], np.int64),
    }
    node = helper.make_node
    graph = helper.make_graph(
        [
            node("IsNaN", ["house.row"], ["gone"]),
            node("Where", ["gone", "zero", "house.row"], ["known"]),
            node("MatMul", ["known", "slopes"], ["of_row"]),
            node("Greater", ["note.text", "code"], ["is_there"]),
            node("Cast", ["is_there"], ["ones"], to=TensorProto.FLOAT),
            node("ReduceSum", ["ones", "last"], ["letters"]),
            node("Mul", ["letters", "letter"], ["of_text"]),
            node("Flatten", ["photo.image"], ["flat"]),
            node("ReduceSum", ["flat", "last"], ["levels"]),
            node("Cast", ["photo.present"], ["seen"], to=TensorProto.FLOAT),
            node("Unsqueeze", ["seen", "last"], ["flag"]),
            node("Mul", ["levels", "flag"], ["shown"]),
            node("Mul", ["shown", "level"], ["of_photo"]),
            node("Add", ["of_row", "of_text"], ["some"]),
            node("Add", ["some", "of_photo"], ["values"]),
        ],
        "houses",
        [
            helper.make_tensor_value_info("photo.image", TensorProto.FLOAT, ["n", *SHAPE]),
            helper.make_tensor_value_info("photo.present", TensorProto.UINT8, ["n"]),
            helper.make_tensor_value_info("house.row", TensorProto.FLOAT, ["n", 2]),
            helper.make_tensor_value_info("note.text", TensorProto.INT32, ["n", 32]),
        ],
        [helper.make_tensor_value_info("values", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    opset = helper.make_opsetid("", 18)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=10), str(path))
