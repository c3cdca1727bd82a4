"""A note on what becomes of a job's wish to deploy its winner."""

from app.spec.figures import Reference
from app.spec.reference_report import BestReference
from app.spec.report import Verdict
from app.spec.spec import ResolvedSpec
from app.spec.strategies import SUPERVISED


def deployment_note(
    spec: ResolvedSpec,
    verdict: Verdict,
    winner: str | None,
    reference: Reference | None,
    best: BestReference | None = None,
) -> list[str]:
    """A warning where nothing is deployed, or what should better not be."""
    if spec.deploy is None or winner is None:
        return []
    if spec.deploy.when == "beats_baseline":
        is_low = reference is not None and winner in reference.far_below_bound
        is_beaten = best is not None and best.beats_winner
        if verdict == "positive_transfer" and not is_low and not is_beaten:
            return []
        asked = f"is shown to beat {spec.baseline_arm} and chance"
        if is_low:
            asked += f" and is not far below {SUPERVISED}"
        if is_beaten:
            asked += " and is not beaten by a model without a network"
        return [
            f"nothing is deployed as {spec.deploy.name}: `beats_baseline` asks for a winner that "
            f"{asked}; `always` deploys without that, and `best` whatever is best"
        ]
    if (
        spec.deploy.when == "always"
        and verdict != "negative_transfer"
        and reference
        and winner in reference.not_above
    ):
        return [
            f"{winner} is deployed as {spec.deploy.name}, since deploy.when is `always`, though it "
            "is no better than an answer that looks at no item"
        ]
    return []
