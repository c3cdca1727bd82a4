"""Doubts about whether source and target are on one scale, from what the intakes saw of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.datasets.schemas import Schema

APART_FROM = 8  # times that one's values fill more of their range than the other's
SYMMETRIC = (-1.0, 1.0)


@dataclass(frozen=True)
class PixelScale:
    """Scale of a dataset's training pictures. `low`, `high`: the least and the greatest raw
    value."""

    low: float
    high: float
    value_range: tuple[float, float]

    @classmethod
    def of(cls, schema: Schema, profile: dict[str, Any] | None = None) -> "PixelScale | None":
        """Reads the scale. Without a profile, or with one of an earlier release, the values fill
        their range. None where there is no one range for all values."""
        value_range = schema.inputs.range
        if value_range is None:
            return None
        seen = (profile or {}).get("values", {}).get("train")
        low, high = (seen["low"], seen["high"]) if seen else value_range
        return cls(low, high, value_range)

    @property
    def reach(self) -> float:
        """The greatest size of a value as the network sees it."""
        low, high = self.value_range
        return max(abs(value - low) / (high - low) for value in (self.low, self.high))

    @property
    def is_standardised(self) -> bool:
        """Tells whether black and white are where the values happen to end."""
        return self.value_range[0] < 0 and self.value_range != SYMMETRIC

    def __str__(self) -> str:
        low, high = self.value_range
        return f"{self.low:.6g} to {self.high:.6g}, of which {low:.6g} to {high:.6g} become 0 to 1"


def scale_warnings(
    sources: Sequence[PixelScale | None], target: PixelScale | None
) -> tuple[str, ...]:
    """Sentences about sources whose pictures a network sees far darker or brighter than the
    target's. None: a source without data, as a model."""
    return tuple(
        f"{'The source' if len(sources) == 1 else f'Source {place + 1}'} and the target seem to be "
        f"on different scales: values from {source} in the source, from {target} in the target. "
        "Upload the one that was divided or standardised as the other is, or say in its spec which "
        "values are black and white (`value_range`)."
        for place, source in enumerate(sources)
        if source and target and _apart(source, target)
    )


def _apart(one: PixelScale, other: PixelScale) -> bool:
    if one.is_standardised != other.is_standardised:
        return True
    small, large = sorted((one.reach, other.reach))
    return 0 < small * APART_FROM <= large
