"""Plot of what a regression predicts against what is true."""

from app.jobs.page import numbers
from app.jobs.page.drawing import AxisScale, Drawing, padded, ticks
from app.jobs.page.figure import Figure
from app.spec.figures import Residuals

SIDE, LEFT, TOP = 320.0, 78.0, 22.0


def residual_plot(found: Residuals, arm: str, number: int, style: str, unit: str) -> Figure:
    """A dot per item, about the line on which the prediction is true."""
    low, high = padded([value for point in found.points for value in point])
    x, y = AxisScale(low, high, LEFT, LEFT + SIDE), AxisScale(low, high, TOP + SIDE, TOP)
    in_unit = f" [{unit}]" if unit else ""
    told = ", ".join(
        f"{name} {numbers.signed(value)}" for name, value in sorted(found.quantiles.items())
    )
    drawing = Drawing(
        f"residuals-{number}",
        f"Predicted against true values of {arm}{in_unit}",
        f"Predicted minus true: mean {numbers.signed(found.bias)}, {told}",
        TOP + SIDE + 50,
    )
    for value in ticks(low, high):
        drawing.line((x.start, y(value)), (x.end, y(value)), "grid")
        drawing.text((x.start - 8, y(value) + 4), numbers.tick(value), "tick", "end")
        drawing.text((x(value), y(low) + 16), numbers.tick(value), "tick", "middle")
    drawing.line((x(low), y(low)), (x(high), y(high)), "zero dashed")
    for true, predicted in found.points:
        drawing.marker((x(true), y(predicted)), number, f"mark {style}", 2.5)
    drawing.text((0, 12), f"predicted{in_unit}", "muted")
    drawing.text(((x.start + x.end) / 2, y(low) + 36), f"true{in_unit}", "muted", "middle")
    return Figure(drawing, ("true", "predicted"), found.points)
