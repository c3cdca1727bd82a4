import pytest

from app.jobs.page.drawing import AxisScale, Drawing, padded, spread, ticks


def test_a_scale_is_linear() -> None:
    scale = AxisScale(0, 10, 100, 300)
    assert (scale(0), scale(5), scale(10)) == (100, 200, 300)
    assert AxisScale(0, 1, 300, 100)(0.25) == 250
    assert AxisScale(3, 3, 7, 9)(3) == 7


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-0.013, 0.148, [0, 0.05, 0.1]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (2, 2, [2]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_a_range_is_never_empty() -> None:
    assert padded([1.0, 2.0], 0.1) == pytest.approx((0.9, 2.1))
    for values in ([0.0], [0.5, 0.5]):
        low, high = padded(values)
        assert low < values[0] < high


def test_labels_are_moved_apart_and_stay_inside() -> None:
    assert spread([10, 12, 50], 10, 100) == [10, 20, 50]
    assert spread([98, 97], 10, 100) == [100, 90]
    assert spread([], 10, 100) == []


def test_texts_and_attributes_are_escaped() -> None:
    drawing = Drawing("x", "<b>", "&", 10)
    drawing.text((0, 0), "<i>", whole='"<u>')
    markup = drawing.markup()
    assert "&lt;b&gt;" in markup
    assert not any(tag in markup for tag in ("<b>", "<i>", "<u>"))
