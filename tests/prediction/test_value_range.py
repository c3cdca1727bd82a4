"""Values that the training data did not hold, as the rule in app.prediction.value_range says."""

import io
from typing import Any

import numpy as np
import pytest

from app.errors import Invalid
from app.prediction import npy_bodies
from app.prediction.inputs import Asked
from app.prediction.schemas import PredictionWarning
from app.prediction.value_range import ValueRange

SHAPE = (4, 4, 1)
PICTURE = np.random.default_rng(0).integers(0, 256, (3, *SHAPE)).astype(np.float64)
BYTES, DIGITS = ValueRange(0, 255, is_uint8=True), ValueRange(0, 16, is_uint8=True)
MASKS = ValueRange(0, 1, is_uint8=True)
UNIT, PIXELS = ValueRange(0, 1, is_uint8=False), ValueRange(0, 255, is_uint8=False)
DEEP, CENTRED = ValueRange(0, 65535, is_uint8=False), ValueRange(-1, 1, is_uint8=False)
MEASURED = ValueRange(-7, 3, is_uint8=False)


def checked(trained_on: ValueRange, values: Any) -> PredictionWarning | None:
    body = io.BytesIO()
    np.save(body, np.broadcast_to(np.asarray(values), (3, *SHAPE)))
    return trained_on.check(Asked.of(npy_bodies.read(body.getvalue(), SHAPE)))


def with_one(value: float, picture: Any = PICTURE) -> np.ndarray:
    """At 1, 2, 3, 0."""
    values = np.array(np.broadcast_to(picture, (3, *SHAPE)), np.float64)
    values[1, 2, 3, 0] = value
    return values


TAKEN = {
    "pictures": (BYTES, PICTURE),
    "uint8": (BYTES, PICTURE.astype(np.uint8)),
    "fractions": (BYTES, with_one(1.5)),
    "rounds to 0": (BYTES, with_one(-0.5)),
    "rounds to 255": (BYTES, with_one(255.4)),
    "black": (BYTES, 0),
    "one value above the fractions": (BYTES, with_one(2, PICTURE / 255)),
    "digits": (DIGITS, PICTURE % 17),
    "masks": (MASKS, PICTURE % 2),
    "resized masks": (MASKS, PICTURE / 255),
    "unit": (UNIT, PICTURE / 255),
    "a little above": (UNIT, with_one(1.09, 0.5)),
    "a little below": (UNIT, with_one(-0.09, 0.5)),
    "float pixels": (PIXELS, PICTURE),
    "16 bits": (DEEP, 257 * PICTURE),
    "centred": (CENTRED, PICTURE / 127.5 - 1),
    "measured": (MEASURED, PICTURE / 255),
    "measured, a tenth of its width beyond": (MEASURED, with_one(-8, 4)),
}


@pytest.mark.parametrize(("trained_on", "values"), TAKEN.values(), ids=TAKEN)
def test_what_the_model_was_trained_on_is_taken(trained_on: ValueRange, values: Any) -> None:
    assert checked(trained_on, values) is None


REFUSED = {
    "divided by 255": (BYTES, PICTURE / 255, "wrong_scale", ""),
    "centred": (BYTES, PICTURE / 127.5 - 1, "wrong_scale", ""),
    "one fraction": (BYTES, with_one(0.5, 0), "wrong_scale", ""),
    "digits divided by 16": (DIGITS, PICTURE % 17 / 16, "wrong_scale", ""),
    "256": (BYTES, with_one(256), "out_of_range", "/1/2/3/0"),
    "-1": (BYTES, with_one(-1), "out_of_range", "/1/2/3/0"),
    "rounds to 256": (BYTES, with_one(255.6), "out_of_range", "/1/2/3/0"),
    "standardised": (BYTES, with_one(-2.1, 1.3), "out_of_range", "/1/2/3/0"),
    "16 bits": (BYTES, with_one(65535, 0), "out_of_range", "/1/2/3/0"),
    "no byte among digits": (DIGITS, with_one(256), "out_of_range", "/1/2/3/0"),
    "whole, from -1": (BYTES, with_one(-1, 1), "out_of_range", "/1/2/3/0"),
    "pictures for masks": (MASKS, PICTURE, "wrong_scale", ""),
    "pictures for fractions": (UNIT, PICTURE, "wrong_scale", ""),
    "16-bit pictures for fractions": (UNIT, 257 * PICTURE, "wrong_scale", ""),
}


@pytest.mark.parametrize(("trained_on", "values", "code", "at"), REFUSED.values(), ids=REFUSED)
def test_what_no_training_data_held_is_refused_where_it_stands(
    trained_on: ValueRange, values: Any, code: str, at: str
) -> None:
    with pytest.raises(Invalid, match=r"expected values .*, got ") as raised:
        checked(trained_on, values)
    assert (raised.value.code, raised.value.findings[0].pointer) == (code, f"#/inputs{at}")


WARNED = {
    "0 and 1": (BYTES, PICTURE % 2, "wrong_scale", ""),
    "float pixels divided by 255": (PIXELS, PICTURE / 255, "wrong_scale", ""),
    "16 bits divided": (DEEP, PICTURE / 255, "wrong_scale", ""),
    "bytes among digits": (DIGITS, with_one(255, 3), "out_of_range", "/1/2/3/0"),
    "too dark pictures for fractions": (UNIT, with_one(9, 0), "out_of_range", "/1/2/3/0"),
    "below fractions": (UNIT, with_one(-0.2, 1), "out_of_range", "/1/2/3/0"),
    "float pixels": (PIXELS, with_one(300), "out_of_range", "/1/2/3/0"),
    "pictures for centred": (CENTRED, with_one(255, 0), "out_of_range", "/1/2/3/0"),
    "measured": (MEASURED, with_one(-8.01, 0), "out_of_range", "/1/2/3/0"),
    "the nearest float32": (UNIT, with_one(-0.1, 0.5), "out_of_range", "/1/2/3/0"),
}


@pytest.mark.parametrize(("trained_on", "values", "code", "at"), WARNED.values(), ids=WARNED)
def test_what_training_data_may_have_held_is_answered_with_a_warning(
    trained_on: ValueRange, values: Any, code: str, at: str
) -> None:
    warning = checked(trained_on, values)
    assert warning is not None
    assert (warning.code, warning.pointer) == (code, f"#/inputs{at}")


ADVICE = {
    "multiply by 255": (BYTES, PICTURE / 255 * 255),
    "multiply by 255, in float32": (BYTES, (PICTURE / 255).astype(np.float32) * np.float32(255)),
    "round what is so dark": (BYTES, np.rint(with_one(0.4, 0))),
    "clip what resizing made": (BYTES, np.clip(with_one(259, PICTURE - 3), 0, 255)),
    "divide 16-bit values by 257": (BYTES, PICTURE * 257 / 257),
    "divide by 255": (UNIT, PICTURE / 255),
    "divide by 65535": (UNIT, 257 * PICTURE / 65535),
    "multiply by 16": (DIGITS, PICTURE % 17 / 16 * 16),
}


@pytest.mark.parametrize(("trained_on", "values"), ADVICE.values(), ids=ADVICE)
def test_the_advice_leads_out(trained_on: ValueRange, values: Any) -> None:
    assert checked(trained_on, values) is None
