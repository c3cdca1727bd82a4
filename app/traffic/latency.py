"""Times that answers took, counted in bins of equal ratio: any share of any sum of them can be told
to within five percent."""

from collections.abc import Mapping
from math import log2

PER_OCTAVE = 8
SHORTEST = 1e-5  # seconds; what is shorter falls into the first bin
OCTAVES = 24  # to 168 s; what is longer falls into the last bin
BINS = PER_OCTAVE * OCTAVES


def bin_of(seconds: float) -> int:
    if seconds <= SHORTEST:
        return 0
    return min(BINS - 1, int(PER_OCTAVE * log2(seconds / SHORTEST)))


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Seconds within which that share of the answers came; None of none. `counts`: by bin."""
    left = share * sum(counts.values())
    for place in sorted(counts):
        left -= counts[place]
        if left <= 0:
            return float(SHORTEST * 2 ** ((place + 0.5) / PER_OCTAVE))
    return None
