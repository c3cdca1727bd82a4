"""A running API and models whose answers are known by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from app.database import Database
from app.main import create_app
from app.models import repository as models
from app.settings import Settings
from app.storage import Storage
from app.tables import Base
from tests.schemas import signature
from tests.serving import serve

SHAPE = (4, 4, 1)
LABELS = ["cat", "dog", "eel"]


def weights(favourite: int, slope: float = 1 / 255) -> np.ndarray:
    """Of a linear model (pixels, 3) that answers `favourite`, the surer the brighter the image."""
    matrix = np.zeros((int(np.prod(SHAPE)), len(LABELS)), np.float32)
    matrix[:, favourite] = slope
    return matrix


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def write_graph(path: Path, matrix: np.ndarray) -> None:
    """softmax(flatten(inputs) @ matrix) as ONNX."""
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["inputs"], ["flat"]),
            helper.make_node("MatMul", ["flat", "matrix"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "linear",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["n", *SHAPE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", matrix.shape[1]])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    opset = helper.make_opsetid("", 18)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=10), str(path))


def write_golden(path: Path, matrix: np.ndarray) -> None:
    inputs = np.random.default_rng(0).integers(0, 256, (8, *SHAPE)).astype(np.float32)
    np.savez(path, inputs=inputs, probabilities=softmax(inputs.reshape(8, -1) @ matrix))


def add_model(
    database: Database,
    storage: Storage,
    favourite: int = 0,
    trained: int | None = None,
    project: str = "default",
    slope: float = 1 / 255,
    **of: Any,
) -> str:
    """Its id. `trained`: the favourite that the trainer saw, where the graph is another.
    `of`: members of the signature that are another's, or that models of earlier releases lack."""
    with TemporaryDirectory() as folder:
        paths = {kind: Path(folder) / f"model.{kind}" for kind in ("onnx", "keras")}
        paths["golden"] = Path(folder) / "golden.npz"
        slope /= of.get("temperature") or 1
        write_graph(paths["onnx"], weights(favourite, slope))
        seen = favourite if trained is None else trained
        write_golden(paths["golden"], weights(seen, slope))
        paths["keras"].write_bytes(b"a keras archive")
        files = {kind: storage.put(path) for kind, path in paths.items()}
    with database.write() as session:
        card = {"arm": "lp_ft"}
        return models.add(
            session, project, "m", None, None, files, signature(SHAPE, LABELS, **of), card
        ).id


@dataclass(frozen=True)
class Site:
    client: httpx.Client
    settings: Settings
    database: Database
    storage: Storage

    def add_model(self, favourite: int = 0, **how: Any) -> str:
        return add_model(self.database, self.storage, favourite, **how)

    def deploy(self, name: str, model_id: str) -> None:
        answer = self.client.put(f"/v1/deployments/{name}", json={"model": model_id})
        assert answer.status_code in {200, 201}, answer.text


@contextmanager
def run_site(settings: Settings, database: Database, is_prompt: bool = True) -> Iterator[Site]:
    """`database` is empty but for its tables, and the one that `settings` name."""
    with serve(create_app(settings), is_prompt) as client:
        yield Site(client, settings, database, Storage(settings.storage, settings.cache_dir))


@contextmanager
def site_on_sqlite(folder: Path, is_prompt: bool = True, **settings: int) -> Iterator[Site]:
    """A site of its own in `folder`. SQLite alone: prediction reads no more of the database than
    tests/deployments do."""
    chosen = Settings(data_dir=folder / "ktl", **settings)
    chosen.home.mkdir()
    database = Database(chosen.database)
    Base.metadata.create_all(database.engine)
    with run_site(chosen, database, is_prompt) as site:
        yield site
    database.dispose()


def problem(answer: httpx.Response, status: int, code: str) -> dict:
    """The answer's problem, which must be this one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    return body
