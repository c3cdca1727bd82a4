"""Models of tables whose answers are known by hand, and ways to ask them."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import onnx
import orjson
from onnx import TensorProto, helper, numpy_helper

from app.inputs.columns import CategoryColumn, DateColumn, FlagColumn, NumberColumn
from app.inputs.table import ROW, TableInputs
from app.models import repository as models
from app.models.schemas import Signature
from app.tasks.classification import Classification
from tests.prediction.site import Site, softmax

CLASSES = ("poor", "rich")
INCOME, AGE = np.linspace(10_000, 60_000, 26), np.arange(18.0, 79.0)
DAYS = np.arange(20_000.0, 20_100.0)  # from 2024-10-04 on
INPUTS = TableInputs(
    columns=(
        NumberColumn.fit("income", INCOME, "EUR"),
        CategoryColumn.fit("city", ["Lima", "Oslo", "Rome"], [3, 2, 1]),
        NumberColumn.fit("age", AGE),
        FlagColumn(name="owns", values=("no", "yes")),
        DateColumn.fit("since", DAYS),
    )
)
WEIGHTS = np.array([[0, 1e-4], [0, 0.5], [0, -0.01], [0, 0.25], [0, 1e-5]], np.float32)
BIAS = np.array([3.0, 0.0], np.float32)
ROWS: list[dict[str, Any]] = [
    {"income": 52_000, "city": "Oslo", "age": 40, "owns": True, "since": "2024-10-09"},
    {"income": None, "city": "Rome", "age": 41.5, "owns": None, "since": None},
    {"income": 10_000, "city": None, "age": 18, "owns": False, "since": "2024-11-01"},
]
# Places of cities by their counts: Lima 0, Oslo 1, Rome 2. 2024-10-09 is day 20,005.
NUMBERS = np.array(
    [
        [52_000, 1, 40, 1, 20_005],
        [np.nan, 2, 41.5, np.nan, np.nan],
        [10_000, np.nan, 18, 0, 20_028],
    ],
    np.float32,
)


def expected(numbers: np.ndarray) -> np.ndarray:
    """Probabilities (n, 2); what is missing counts 0."""
    return softmax(np.nan_to_num(numbers) @ WEIGHTS[: numbers.shape[1]] + BIAS)


def write_graph(path: Path, weights: np.ndarray = WEIGHTS) -> None:
    """softmax(where(isnan(inputs), 0, inputs) @ weights + bias) as ONNX."""
    values = {"weights": weights, "bias": BIAS, "zero": np.float32(0)}
    graph = helper.make_graph(
        [
            helper.make_node("IsNaN", ["inputs"], ["missing"]),
            helper.make_node("Where", ["missing", "zero", "inputs"], ["known"]),
            helper.make_node("MatMul", ["known", "weights"], ["product"]),
            helper.make_node("Add", ["product", "bias"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "table",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["n", len(weights)])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    opset = helper.make_opsetid("", 18)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=10), str(path))


def write_golden(path: Path, inputs: TableInputs, numbers: np.ndarray, **changed: Any) -> None:
    raw = np.frombuffer(orjson.dumps(inputs.raw({ROW: numbers})), np.uint8)
    stored = {"inputs": numbers, "probabilities": expected(numbers), "raw": raw} | changed
    np.savez(path, **stored)


def deploy(
    site: Site,
    folder: Path,
    inputs: TableInputs = INPUTS,
    numbers: np.ndarray = NUMBERS,
    name: str = "people",
) -> str:
    """The model's id."""
    paths = {"onnx": folder / "model.onnx", "golden": folder / "golden.npz"}
    write_graph(paths["onnx"], WEIGHTS[: len(inputs.columns)])
    write_golden(paths["golden"], inputs, numbers)
    files = {kind: site.storage.put(path) for kind, path in paths.items()}
    signature = Signature(inputs=inputs, task=Classification(classes=CLASSES))
    with site.database.write() as session:
        card = {"arm": "scratch"}
        model = models.add(session, "default", "m", None, None, files, signature, card)
    site.deploy(name, model.id)
    return model.id


Rows = Sequence[Mapping[str, Any]]


class Way(NamedTuple):
    """`ask`: rows of equal names. `pointer`: to a value of theirs. `scores`: (n, 2)."""

    ask: Callable[[Site, Rows], httpx.Response]
    pointer: Callable[[int, str], str]
    scores: Callable[[dict[str, Any]], Any]
    warnings: Callable[[dict[str, Any]], list[tuple[str, str]]]


def _post(site: Site, path: str, body: Any) -> httpx.Response:
    headers = {"Content-Type": "application/json"}
    return site.client.post(path, content=json.dumps(body).encode(), headers=headers)


def _columns(rows: Rows) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


DATATYPES = {"income": "FP32", "city": "BYTES", "age": "FP64", "owns": "BYTES", "since": "BYTES"}


def tensor(name: str, values: list[Any]) -> dict[str, Any]:
    datatype = DATATYPES.get(name, "FP32")
    if name == "owns":
        values = [{True: "yes", False: "no"}.get(value, value) for value in values]
    return {"name": name, "shape": [len(values)], "datatype": datatype, "data": values}


def binary(tensors: list[dict[str, Any]]) -> tuple[bytes, dict[str, str]]:
    """The same tensors with their values after the JSON; and the headers."""
    data, described = b"", []
    for each in tensors:
        if each["datatype"] == "BYTES":
            texts = [(value or "").encode() for value in each["data"]]
            own = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
        else:
            dtype = {"FP32": "<f4", "FP64": "<f8", "INT64": "<i8", "BOOL": "?"}[each["datatype"]]
            values = [np.nan if value is None else value for value in each["data"]]
            own = np.array(values, dtype).tobytes()
        parameters = {"binary_data_size": len(own)}
        described.append(
            {key: each[key] for key in ("name", "shape", "datatype")} | {"parameters": parameters}
        )
        data += own
    head = json.dumps({"inputs": described}).encode()
    headers = {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": str(len(head)),
    }
    return head + data, headers


def _ask_in_binary(site: Site, rows: Rows) -> httpx.Response:
    body, headers = binary([tensor(*each) for each in _columns(rows).items()])
    return site.client.post("/v2/models/people/infer", content=body, headers=headers)


def _in_parameters(answer: dict[str, Any]) -> list[tuple[str, str]]:
    told = answer["parameters"]
    suffixes = [of for of in ("", "_2") if f"warning_code{of}" in told]
    return [(told[f"warning_code{of}"], told[f"warning_pointer{of}"]) for of in suffixes]


def _listed(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["code"], each["pointer"]) for each in answer.get("warnings", [])]


def _of_tensor(answer: dict[str, Any]) -> Any:
    (output,) = answer["outputs"]
    return np.reshape(output["data"], output["shape"])


def _of_labels(answer: dict[str, Any]) -> Any:
    ranked = [sorted(one["scores"], key=lambda each: each["label"]) for one in answer["outputs"]]
    return np.array([[each["score"] for each in one] for one in ranked])


NAMES = [column.name for column in INPUTS.columns]
SERVING = "/v1/models/people:predict"
WAYS = {
    "native": Way(
        lambda site, rows: _post(
            site, "/v1/deployments/people/predict", {"inputs": rows, "top_k": 2}
        ),
        lambda row, name: f"#/inputs/{row}/{name}",
        _of_labels,
        _listed,
    ),
    "instances": Way(
        lambda site, rows: _post(site, SERVING, {"instances": rows}),
        lambda row, name: f"#/instances/{row}/{name}",
        lambda answer: np.array(answer["predictions"]),
        _listed,
    ),
    "columns": Way(
        lambda site, rows: _post(site, SERVING, {"inputs": _columns(rows)}),
        lambda row, name: f"#/inputs/{name}/{row}",
        lambda answer: np.array(answer["outputs"]),
        _listed,
    ),
    "open inference": Way(
        lambda site, rows: _post(
            site,
            "/v2/models/people/infer",
            {"inputs": [tensor(*each) for each in _columns(rows).items()]},
        ),
        lambda row, name: f"#/inputs/{NAMES.index(name)}/data/{row}",
        _of_tensor,
        _in_parameters,
    ),
    "open inference, binary": Way(
        _ask_in_binary,
        lambda row, name: f"#/inputs/{NAMES.index(name)}/data/{row}",
        _of_tensor,
        _in_parameters,
    ),
}
