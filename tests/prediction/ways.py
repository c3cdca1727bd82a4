"""Ways to ask one deployment the same, in every protocol, and what each answers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tests.prediction.site import softmax, weights

TEMPERATURE = 2.0
NATIVE = "/v1/deployments/pets/predict"
OPEN_INFERENCE = "/v2/models/pets/infer"
TENSORFLOW_SERVING = "/v1/models/pets:predict"


class Way(NamedTuple):
    """`body`: of inputs (n, *shape), as JSON. `pointer`: to a value of it. `scores`: of an answer,
    (n, classes)."""

    url: str
    body: Callable[[Any], dict[str, Any]]
    pointer: Callable[[int, int, int, int], str]
    at: str
    scores: Callable[[dict[str, Any]], Any]
    warnings: Callable[[dict[str, Any]], list[str]]


def expected(array: np.ndarray) -> np.ndarray:
    """What a model that favours 1 answers with this temperature."""
    return softmax(array.reshape(len(array), -1) @ weights(1) / TEMPERATURE)


def tensor(array: np.ndarray, datatype: str = "FP32", is_flat: bool = False) -> dict[str, Any]:
    data = (array.reshape(-1) if is_flat else array).tolist()
    return {"name": "image", "shape": list(array.shape), "datatype": datatype, "data": data}


def _of_tensor(answer: dict[str, Any]) -> Any:
    (output,) = answer["outputs"]
    return np.reshape(output["data"], output["shape"])


def _nested(at: str, member: str = "") -> Callable[[int, int, int, int], str]:
    return lambda n, *index: "/".join([f"{at}/{n}{member}", *map(str, index)])


def _told(answer: dict[str, Any]) -> list[str]:
    return [one["code"] for one in answer.get("warnings", [])]


def _in_parameters(answer: dict[str, Any]) -> list[str]:
    return [value for name, value in answer["parameters"].items() if name == "warning_code"]


def _of_labels(answer: dict[str, Any]) -> Any:
    ranked = [sorted(one["scores"], key=lambda each: each["label"]) for one in answer["outputs"]]
    return np.array([[each["score"] for each in one] for one in ranked])


DATA = "#/inputs/0/data"
WAYS = {
    "native": Way(
        NATIVE,
        lambda a: {"inputs": a.tolist(), "top_k": 3},
        _nested("#/inputs"),
        "#/inputs",
        _of_labels,
        _told,
    ),
    "open inference, nested": Way(
        OPEN_INFERENCE,
        lambda a: {"inputs": [tensor(a)]},
        _nested(DATA),
        DATA,
        _of_tensor,
        _in_parameters,
    ),
    "open inference, flat": Way(
        OPEN_INFERENCE,
        lambda a: {"inputs": [tensor(a, is_flat=True)]},
        lambda n, row, column, _: f"{DATA}/{16 * n + 4 * row + column}",
        DATA,
        _of_tensor,
        _in_parameters,
    ),
    "instances": Way(
        TENSORFLOW_SERVING,
        lambda a: {"instances": a.tolist()},
        _nested("#/instances"),
        "#/instances",
        lambda answer: np.array(answer["predictions"]),
        _told,
    ),
    "columns": Way(
        TENSORFLOW_SERVING,
        lambda a: {"signature_name": "serving_default", "inputs": a.tolist()},
        _nested("#/inputs"),
        "#/inputs",
        lambda answer: np.array(answer["outputs"]),
        _told,
    ),
    "named columns": Way(
        TENSORFLOW_SERVING,
        lambda a: {"inputs": {"image": a.tolist()}},
        _nested("#/inputs/image"),
        "#/inputs/image",
        lambda answer: np.array(answer["outputs"]),
        _told,
    ),
}
