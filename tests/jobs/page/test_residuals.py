"""The plot of predictions against true quantities."""

from app.jobs.page.residuals import residual_plot
from app.spec.figures import Residuals

FOUND = Residuals(
    bias=-1234.0,
    quantiles={"p05": -9000.0, "p25": -100.0, "p50": 0.5, "p75": 100.0, "p95": 9000.0},
    points=[(10_000.0, 12_000.0), (20_000.0, 19_000.0), (90_000.0, 60_000.0)],
)


def test_a_dot_per_item_in_the_unit_that_was_given() -> None:
    plot = residual_plot(FOUND, "lp_ft", 1, "c1", "<USD>").svg
    assert plot.count("mark c1") == 3
    assert "predicted [&lt;USD&gt;]" in plot
    assert "true [&lt;USD&gt;]" in plot
    assert "mean −1234.0" in plot
    assert "zero dashed" in plot
    assert "predicted</text>" in residual_plot(FOUND, "lp_ft", 1, "c1", "").svg
