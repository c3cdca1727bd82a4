"""TensorFlow Serving's bodies."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.errors import invalid
from app.prediction.json_envelope import validated
from app.prediction.schemas import PredictionWarning
from app.sent import Sent


class InstancesIn(Sent):
    """Exactly one of `instances`, row by row, and `inputs`, tensor by tensor."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"instances": [[[0, 255], [255, 0]]]},
                {"instances": [{"age": 63, "city": "Oslo"}]},
                {"inputs": {"age": [63, 41], "city": ["Oslo", None]}},
                {"instances": ["a friendly place", {"text": "never again"}]},
            ]
        }
    )

    signature_name: Literal["serving_default"] | None = None
    instances: list[Any] | None = Field(
        None,
        min_length=1,
        description='raw values row by row: each as nested lists or as `{"image": …}`; for tables '
        "an object with each column of the model's signature",
    )
    inputs: list[Any] | dict[str, list[Any]] | None = Field(
        None,
        description='raw values of all rows, as nested lists or as `{"image": …}`; for tables '
        "an object with a list of values for each column of the model's signature",
    )


class PredictionsOut(BaseModel):
    """`predictions` answers `instances`, and `outputs` answers `inputs`."""

    predictions: list[list[float]] | None = Field(
        None, description="probabilities, [n, classes]; the deployment's model names the labels"
    )
    outputs: list[list[float]] | None = Field(None, description="the same")
    warnings: list[PredictionWarning] = Field([], description="absent where there are none")


def one_of_two(document: Any) -> InstancesIn:
    """Raises Invalid."""
    request = validated(document, InstancesIn)
    if (request.instances is None) == (request.inputs is None):
        got = "neither" if request.inputs is None else "both"
        raise invalid("invalid_value", f"expected `instances` or `inputs`, got {got}", "#")
    return request
