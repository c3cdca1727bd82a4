"""The structure of an imported network: checked and counted without Keras."""

import zlib
from base64 import b64encode
from typing import Any

import pytest
from pydantic import ValidationError

from app.spec.imported.choice import Imported
from app.spec.imported.params import ImportedParams
from app.spec.imported.structure import MOST_BYTES, Structure, read
from app.spec.memory import network_size

CONVOLUTION = {"kind": "Conv2D", "filters": 4, "kernel_size": [3, 3], "strides": [2, 2]}
FLATTEN = {"kind": "Flatten"}


def structure(layers: list[Any], calls: list[Any] | None = None, **members: Any) -> Structure:
    chained = [[place, [place]] for place in range(len(layers))]
    content = {"input": [9, 8, 3], "layers": layers, "calls": calls or chained, **members}
    return Structure.model_validate(content)


def params(found: Structure) -> ImportedParams:
    return ImportedParams(structure=found.written())


def test_it_is_counted_by_hand() -> None:
    """9x8x3 -> 4x3x4 by 112 weights, a norm of 16, 48 features."""
    norm = {"kind": "BatchNormalization"}
    dense = {"kind": "Dense", "units": 5, "activation": "relu"}
    found = structure([CONVOLUTION, norm, FLATTEN, dense])
    counted = found.counted
    assert counted.parameters == (9 * 3 * 4 + 4) + 4 * 4 + (48 * 5 + 5)
    assert counted.convolutions == 112
    assert counted.kept == 216 + 48 + 48 + 48 + 5
    assert counted.multiplications == 12 * 112 + 240
    assert found.has_norm
    model = Imported(backbone="imported", params=params(found), bottleneck=2)
    size = network_size(model, (9, 8, 3))
    assert (size.parameters, size.features) == (counted.parameters + 5 * 2 + 4 * 2, 2)


def test_a_layer_that_is_called_twice_counts_once() -> None:
    same = {"kind": "Conv2D", "filters": 3, "kernel_size": [1, 1]}
    found = structure([same, {"kind": "Add"}, FLATTEN], [[0, [0]], [0, [1]], [1, [1, 2]], [2, [3]]])
    assert found.counted.parameters == 12
    assert found.counted.features == (216,)
    grown = structure([CONVOLUTION, FLATTEN], [[0, [0]], [0, [1]], [1, [2]]])
    with pytest.raises(ValueError, match="one Conv2D"):
        params(grown)


def test_what_is_written_is_read_again() -> None:
    found = structure([CONVOLUTION, FLATTEN])
    assert read(found.written()) == found
    text = params(found).model_dump_json()
    assert ImportedParams.model_validate_json(text).read == found


def test_pictures_of_another_size_do_not_fit() -> None:
    found = params(structure([CONVOLUTION, FLATTEN]))
    assert found.misfit((9, 8, 3)) is None
    code, finding = found.misfit((9, 9, 3)) or ("", None)
    assert code == "shape_mismatch"
    assert finding is not None
    assert finding.pointer == "#/model/image_size"


@pytest.mark.parametrize(
    ("layers", "calls"),
    [
        ([{"kind": "Conv2D", "filters": 4, "kernel_size": [10, 1]}, FLATTEN], None),
        ([CONVOLUTION], None),  # features in three dimensions
        ([FLATTEN, CONVOLUTION], None),
        ([FLATTEN], [[0, [1]]]),  # takes what is made later
        ([FLATTEN], [[1, [0]]]),
        ([{"kind": "Add"}, FLATTEN], None),
        ([{"kind": "UpSampling2D", "size": [4096, 4096]}, FLATTEN], None),
        ([FLATTEN, {"kind": "Dense", "units": 2**20}, {"kind": "Dense", "units": 2**20}], None),
        ([{"kind": "Reshape", "target_shape": [7, -1]}, FLATTEN], None),
    ],
)
def test_what_does_not_fit_is_refused(layers: list[Any], calls: list[Any] | None) -> None:
    with pytest.raises(ValueError, match=r"structure of an imported network|one dimension"):
        params(structure(layers, calls))


@pytest.mark.parametrize(
    "layer",
    [
        {"kind": "Lambda"},
        {"kind": "Dense"},
        {"kind": "Dense", "units": True},
        {"kind": "Dense", "units": "3"},
        {"kind": "Dense", "units": 3, "activation": "os.system"},
        {"kind": "Dense", "units": 3, "kernel_initializer": "zeros"},
        {"kind": "Dropout", "rate": float("nan")},
        {"kind": "Conv2D", "filters": 4, "kernel_size": [0, 1]},
    ],
)
def test_other_layers_and_options_are_no_structure(layer: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        structure([FLATTEN, layer])


def _text(content: bytes) -> str:
    return b64encode(zlib.compress(content)).decode()


@pytest.mark.parametrize(
    "text",
    ["", "no base64!", "eJw=", _text(b"{}"), _text(b"[" * 10**6), _text(b" " * (MOST_BYTES + 9))],
)
def test_a_text_that_is_no_structure(text: str) -> None:
    """However it is built, and however much it would inflate to."""
    with pytest.raises(ValidationError) as caught:
        ImportedParams(structure=text)
    (error,) = caught.value.errors()
    assert "structure of an imported network" in error["msg"]
