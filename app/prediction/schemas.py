"""The native protocol's bodies."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.sent import Sent


class PredictIn(Sent):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"inputs": [[[0, 255], [255, 0]]], "top_k": 2},
                {"inputs": [{"age": 63, "sex": "male", "cholesterol": None}]},
                {"inputs": ["a friendly place, and quick", "味道很好"]},
            ],
        },
    )

    inputs: list[Any] = Field(
        min_length=1,
        description="raw items, each as the model's signature says. Pictures: nested lists, all "
        "of the shape [n, height, width, channels]; a single channel may be left out: [n, height, "
        "width]. Rows of a table: objects with a value for each column, null where it is missing. "
        "Texts: text. Items of several parts: objects with a value for each, null or nothing where "
        'it is missing, a picture also as {"b64": …}, a file',
    )
    top_k: int | None = Field(
        None, ge=1, description="also answer the `scores` of so many best labels"
    )
    raw_scores: bool = Field(
        False,
        description="answer the network's own scores, not calibrated; the labels are the same",
    )


class Score(BaseModel):
    label: str
    score: float = Field(description="probability, 0..1; calibrated where the answer says so")


class Prediction(Score):
    """The best label. `scores` is there when `top_k` was asked for: the best first."""

    scores: list[Score] | None = None


class Quantity(BaseModel):
    """Answer of a regression."""

    value: float = Field(description="in the unit of the dataset that the model was trained on")


class LabelSet(BaseModel):
    """Answer of a multi-label classification."""

    labels: list[Score] = Field(description="with a score of 0.5 or more, the best first; or none")
    scores: list[Score] | None = Field(
        None, description="of the `top_k` best labels, where that was asked for"
    )


class PredictionWarning(BaseModel):
    """A doubt about the inputs, which were answered nevertheless."""

    code: Literal["wrong_scale", "out_of_range", "unknown_category", "text_cut", "missing_part"] = (
        Field(description="stable: branch on this")
    )
    detail: str = Field(description="what was expected, what came and what to do")
    pointer: str = Field(description="into the body, to the first: `#/inputs/0/3/5/0`")
    count: int | None = Field(
        None, description="values that it is about; absent where it is about all"
    )


class PredictOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "deployment": "digits",
                    "model": "mdl_01JD6ZB5V4T8Q0M2N9X3K7RWCE",
                    "calibrated": True,
                    "temperature": 1.42,
                    "outputs": [
                        {
                            "label": "7",
                            "score": 0.93,
                            "scores": [
                                {"label": "7", "score": 0.93},
                                {"label": "1", "score": 0.04},
                            ],
                        }
                    ],
                }
            ]
        }
    )

    deployment: str
    model: str = Field(description="the model that answered")
    calibrated: bool = Field(
        False,
        description="whether the scores were mended by a temperature that was fitted on validation "
        "items; false for a model without one, and for raw scores",
    )
    temperature: float = Field(
        1.0, description="by which the logits were divided before the softmax; 1: not calibrated"
    )
    warnings: list[PredictionWarning] = Field([], description="absent where there are none")
    outputs: list[Prediction] | list[LabelSet] | list[Quantity] = Field(
        description="one an input, in their order: a label, the labels of a multi-label "
        "classification, or the quantity of a regression"
    )
