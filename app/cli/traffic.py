"""Traffic of a deployment, as a table and in sentences."""

from app.cli import output
from app.traffic.schemas import DeploymentTraffic, ModelTraffic, TrafficWindow


def print_traffic(traffic: DeploymentTraffic) -> None:
    output.print_table(
        ["model", "role", "last", "requests", "errors", "p50", "p99", "confidence"],
        [_row(model, window) for model in traffic.models for window in model.windows],
    )
    if traffic.canary:
        output.print_text(f"\nThe canary: {traffic.canary.sentence}\n")
    for model in traffic.models:
        day = model.windows[-1]
        output.print_text(f"\n{model.model_name}: {day.drift.sentence}\n")
        for each in day.doubts:
            output.print_text(
                f"{each.share:.0%} of the requests of the last day were warned: {each.code}\n"
            )


def _row(model: ModelTraffic, window: TrafficWindow) -> tuple[object, ...]:
    errors = ", ".join(f"{count} x {status}" for status, count in window.errors.items())
    confidence = window.drift.confidence
    return (
        model.model_name,
        model.role,
        window.window,
        window.requests,
        errors or "-",
        _milliseconds(window.p50_seconds),
        _milliseconds(window.p99_seconds),
        "-" if confidence is None else f"{confidence:.2f}",
    )


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.3g} ms"
