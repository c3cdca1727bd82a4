"""The Open Inference Protocol's bodies."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.sent import Sent

Datatype = Literal[
    "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64"
]
ColumnDatatype = Datatype | Literal["BOOL", "BYTES"]
LACKING = {
    "classification": "the labels stand in the model's metadata, in the order of `probabilities`",
    "shared_memory_region": "send the values in the body",
}
EXAMPLE: dict[str, Any] = {
    "id": "42",
    "inputs": [
        {
            "name": "image",
            "shape": [1, 2, 2, 1],
            "datatype": "UINT8",
            "data": [0, 255, 255, 0],
        }
    ],
    "outputs": [{"name": "probabilities"}],
}

COLUMNS_EXAMPLE: dict[str, Any] = {
    "inputs": [
        {"name": "age", "shape": [2], "datatype": "FP32", "data": [63, None]},
        {"name": "city", "shape": [2], "datatype": "BYTES", "data": ["Oslo", "Rome"]},
    ]
}


class _Parameters(Sent):
    """Open-ended by the specification: what is not known is passed over."""

    model_config = ConfigDict(extra="allow")

    @model_validator(mode="after")
    def _lacks(self) -> Self:
        for name, cure in LACKING.items():
            if name in (self.model_extra or ()):
                raise ValueError(f"expected no `{name}`, which is not offered here: {cure}")
        return self


class RequestParameters(_Parameters):
    binary_data_output: bool | None = Field(
        None, description="answer all outputs as binary data after the JSON"
    )


class InputParameters(_Parameters):
    binary_data_size: int | None = Field(
        None, ge=0, description="bytes of this tensor after the JSON, in place of `data`"
    )


class OutputParameters(_Parameters):
    binary_data: bool | None = Field(
        None, description="answer this output as binary data; before `binary_data_output`"
    )


class RequestTensor(Sent):
    name: str = Field(description="of the model's one input, as its metadata say")
    shape: list[int] = Field(
        max_length=16, description="the batch first: [n, height, width, channels]"
    )
    datatype: Datatype = Field(description="of the numbers; any is taken for any model")
    parameters: InputParameters | None = None
    data: list[Any] | None = Field(
        None, description="the numbers, row by row: one list, or lists nested as `shape` says"
    )


class RequestOutput(Sent):
    name: Literal["probabilities", "values"] = Field(
        description="of the model's one output, as its metadata say"
    )
    parameters: OutputParameters | None = None


class RequestInput(Sent):
    """A model's one tensor, of texts too, or a column of a table."""

    name: str = Field(description="of the tensor or the column, as the model's metadata say")
    shape: list[int] = Field(
        max_length=16,
        description="the batch first: [n, height, width, channels]; of a column [n] or [n, 1]",
    )
    datatype: ColumnDatatype = Field(
        description="of the values. A model of one tensor takes all of numbers. Of columns, FP32 "
        "for numbers, BOOL for flags and BYTES for categories and dates, as the model's metadata "
        "say, or any other in which the column's values can be written; NaN and empty BYTES mean "
        "that a value is missing. Of texts BYTES"
    )
    parameters: InputParameters | None = None
    data: list[Any] | None = Field(
        None,
        description="the values, row by row: one list, or lists nested as `shape` says; of a "
        "column null where one is missing",
    )


class _InferIn(Sent):
    id: str | None = Field(None, description="given back in the answer")
    model_name: str | None = Field(None, description="taken and passed over: the path names it")
    model_version: str | None = Field(None, description="taken and passed over")
    parameters: RequestParameters | None = None
    outputs: list[RequestOutput] | None = Field(
        None, max_length=1, description="absent or empty: all there are"
    )

    @property
    def is_binary_wanted(self) -> bool:
        """Tells whether the probabilities are to follow the answer's JSON as bytes."""
        output = self.outputs[0].parameters if self.outputs else None
        if output is not None and output.binary_data is not None:
            return output.binary_data
        return bool(self.parameters and self.parameters.binary_data_output)


class InferTensorIn(_InferIn):
    """Input to a model of one tensor."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    inputs: list[RequestTensor] = Field(min_length=1, max_length=1)


class InferIn(_InferIn):
    """One tensor, or to a model of a table one for each column."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE, COLUMNS_EXAMPLE]})

    inputs: list[RequestInput] = Field(min_length=1)


class ResponseOutput(BaseModel):
    name: Literal["probabilities", "values"] = "probabilities"
    datatype: Literal["FP32"] = "FP32"
    shape: list[int] = Field(description="[n, classes]")
    parameters: dict[str, Any] | None = Field(
        None, description="`binary_data_size`, where the numbers follow the JSON"
    )
    data: list[float] | None = Field(
        None, description="in one list, row by row; labels in the order of the model's metadata"
    )


class InferOut(BaseModel):
    model_name: str = Field(description="the deployment")
    id: str | None = Field(None, description="the request's, if it had one")
    parameters: dict[str, Any] = Field(
        description="`model`: which answered; `calibrated` and `temperature` as in the native "
        "protocol; `warning_code`, `warning` and `warning_pointer` where there is a doubt, with "
        "`_2` behind their names for a second one"
    )
    outputs: list[ResponseOutput]


class TensorMetadata(BaseModel):
    name: str
    datatype: str
    shape: list[int] = Field(description="-1 where any length is taken: the number of inputs")
    parameters: dict[str, list[str]] | None = Field(
        None, description="`labels`: the classes, in the order of the numbers of one row"
    )


class ModelMetadata(BaseModel):
    name: str
    platform: str = "onnxruntime_onnx"
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ServerMetadata(BaseModel):
    name: str = "ktl"
    version: str
    extensions: list[str] = ["binary_tensor_data"]


class ServerLive(BaseModel):
    live: Literal[True] = True


class ServerReady(ServerLive):
    ready: Literal[True] = True


class ModelReady(BaseModel):
    name: str
    ready: Literal[True] = True
