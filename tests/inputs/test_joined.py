"""Items of several parts: what is missing, what clients send, and one form for several datasets."""

from base64 import b64encode
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from app.errors import Invalid
from app.inputs import Inputs
from app.inputs.columns import CategoryColumn, NumberColumn
from app.inputs.image import ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.joint_parts import GivenParts, JoinedAdoption, joint_parts, rewritten
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from tests.picture_files import png

AREAS = np.arange(20.0, 60.0)


def table(*cities: str, areas: np.ndarray = AREAS) -> TableInputs:
    counts = list(range(len(cities), 0, -1))
    return TableInputs(
        columns=(NumberColumn.fit("area", areas), CategoryColumn.fit("city", cities, counts))
    )


PHOTO = ImageInputs(shape=(8, 8, 3), dtype="uint8", value_range=(0, 255))


def joined(rows: TableInputs, length: int = 32) -> JoinedInputs:
    return JoinedInputs(
        parts=(
            JoinedPart(name="photo", inputs=PHOTO),
            JoinedPart(name="house", inputs=rows),
            JoinedPart(name="note", inputs=TextInputs(length=length)),
        )
    )


INPUTS = joined(table("Oslo", "Rome"))
PIXELS = np.arange(192).reshape(8, 8, 3).tolist()
WHOLE: dict[str, Any] = {
    "photo": PIXELS,
    "house": {"area": 31.5, "city": "Rome"},
    "note": "a quiet house",
}


def test_tensors_are_named_by_their_parts() -> None:
    assert [(t.name, t.dtype, t.shape) for t in INPUTS.tensors] == [
        ("photo.image", "uint8", (8, 8, 3)),
        ("photo.present", "uint8", ()),
        ("house.row", "float32", (2,)),
        ("note.text", "int32", (32,)),
    ]
    assert [t.name for t in INPUTS.asked] == [
        "photo.image",
        "house.area",
        "house.city",
        "note.text",
    ]
    assert INPUTS.arrays("train")["photo.image"] == "x_train.photo.image"
    assert TypeAdapter[Inputs](Inputs).validate_json(INPUTS.model_dump_json()) == INPUTS


def test_an_item_may_lack_parts() -> None:
    items = INPUTS.decode(
        [
            WHOLE,
            {"house": WHOLE["house"]},
            {"photo": PIXELS, "house": {"area": None, "city": None}, "note": None},
        ],
        "#",
    )
    known = {part.name: part.known(items).tolist() for part in INPUTS.parts}
    assert known == {
        "photo": [True, False, True],
        "house": [True, True, False],
        "note": [True, False, False],
    }
    np.testing.assert_array_equal(items["house.row"][:2], [[31.5, 1], [31.5, 1]])
    assert np.isnan(items["house.row"][2]).all()
    assert not items["photo.image"][1].any()
    told = [(each.part, each.items, each.first) for each in INPUTS.lacking(items)]
    assert told == [("photo", 1, 1), ("house", 1, 2), ("note", 2, 1)]
    shown = INPUTS.preview(items)
    assert shown[1]["photo"] is None
    assert shown[0]["house"] == {"area": 31.5, "city": "Rome"}
    assert shown[0]["note"] == "a quiet house"
    again = INPUTS.decode(INPUTS.raw(items), "#")
    for name, values in items.items():
        np.testing.assert_array_equal(again[name], values)


def test_a_picture_is_arrays_or_a_file() -> None:
    data = png(3)
    sent = [{"photo": {"b64": b64encode(data).decode()}}, {"photo": data}]
    items = INPUTS.decode(sent, "#")
    np.testing.assert_array_equal(items["photo.image"][0], items["photo.image"][1])
    assert items["photo.image"][0].any()


@pytest.mark.parametrize(
    ("item", "code", "pointer"),
    [
        ({}, "no_part", "#/inputs/4"),
        ({"photo": None}, "no_part", "#/inputs/4"),
        ({"house": {"area": None, "city": None}}, "no_part", "#/inputs/4"),
        ({"garden": 1}, "unknown_part", "#/inputs/4/garden"),
        ([], "not_an_item", "#/inputs/4"),
        ({"house": {"area": "x", "city": None}}, "invalid_value", "#/inputs/4/house/area"),
        ({"photo": [[1]]}, "wrong_shape", "#/inputs/4/photo"),
        ({"photo": {"b64": 5}}, "not_a_picture", "#/inputs/4/photo"),
        ({"photo": {"b64": "äöü"}}, "not_base64", "#/inputs/4/photo/b64"),
        ({"note": " \x00"}, "no_part", "#/inputs/4"),
    ],
)
def test_items_that_are_refused(item: Any, code: str, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        INPUTS.decode([item], "#/inputs", 4)
    assert (refused.value.code, refused.value.findings[0].pointer) == (code, pointer)


def test_extremes_hold_an_item_without_each_part() -> None:
    extremes = INPUTS.extremes(INPUTS.decode([WHOLE], "#"))
    known = np.stack([part.known(extremes) for part in INPUTS.parts], axis=1)
    assert not known.all(axis=0).any()
    assert known.any(axis=0).all()


def test_names_of_parts() -> None:
    with pytest.raises(ValidationError):
        JoinedPart(name="a.b", inputs=PHOTO)
    with pytest.raises(ValidationError, match="a name of its own"):
        JoinedInputs(parts=(JoinedPart(name="a", inputs=PHOTO),) * 2)


def test_two_datasets_in_one_form() -> None:
    target, source = INPUTS, joined(table("Lima", "Rome", areas=AREAS * 2), 64)
    joint = joint_parts(target, 40, [GivenParts(source, 40)])
    assert isinstance(joint, JoinedInputs)
    house, note = joint.parts[1].inputs, joint.parts[2].inputs
    assert isinstance(house, TableInputs)
    assert isinstance(note, TextInputs)
    assert house.columns[1].values == ("Oslo", "Rome", "Lima")
    assert note.length == 64
    items = source.decode([{"house": {"area": 50, "city": "Lima"}}, {"photo": PIXELS}], "#")
    changes = {
        part.name: (mine, change) for mine, part, change in JoinedAdoption(joint).changed(source)
    }
    mine, change = changes["house"]
    out = np.zeros((2, 2), np.float32)
    rewritten(change, items, mine, out)
    np.testing.assert_array_equal(out, [[50, 2], [np.nan, np.nan]])
    assert target.mismatches(source, None) == []


def test_a_model_keeps_the_form_that_it_has_learnt() -> None:
    learnt = joined(table("Lima"))
    assert joint_parts(INPUTS, 9, [GivenParts(learnt, is_learnt=True)]) == learnt
    assert joint_parts(PHOTO, 9, [GivenParts(learnt)]) is None


def test_other_parts_do_not_fit() -> None:
    other = JoinedInputs(parts=INPUTS.parts[:2])
    assert "expected the parts" in INPUTS.mismatches(other, None)[0]
    dark = PHOTO.model_copy(update={"value_range": (0, 1)})
    parts = (JoinedPart(name="photo", inputs=dark), *INPUTS.parts[1:])
    (said,) = INPUTS.mismatches(JoinedInputs(parts=parts), None)
    assert "value_range" in said
