"""How often the interval that the verdict rests on covers the truth, and how often it is wrong.

    python -m benchmarks.coverage        (all), or names of regimes: seeds ceiling

Made-up jobs, a thousand of each kind: both arms are right or wrong on the same test items, with
S seeds. An arm is right where

    level + item + item for this arm + seed for this arm + rest > 0,    all normal

so the true gain, over all seeds and items that there could be, is known. Each kind is run with no
gain (how often is the lower end above 0? 2.5 % are promised) and with a gain. Regimes: what
differs between the arms is `seeds`, `items`, `rest` (neither), `both`, or they are near the
`ceiling`: wrong on 4 items each, as many as there may be.

Coverage is wanted from 93 to 97 %, wrong positives at most 3 %, held to it within 3 standard errors
of the simulation; of `rest` coverage may be more: few seeds do not show that seeds do not differ.
Takes about 15 minutes on 1 core.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from worker.evaluation.crossed import crossed_interval

SEEDS, ITEMS = (2, 3, 5, 10), (100, 650, 2000, 10_000)
REPEATS, CONFIDENCE = 1000, 0.95
LOWEST, HIGHEST, WRONG = 0.93, 0.97, 0.03


@dataclass(frozen=True)
class Regime:
    """Standard deviations, the rest's being 1, and what the arms get right: with no gain both the
    first."""

    item: float
    item_and_arm: float
    seed: float
    right: tuple[float, float]
    wrong_items: tuple[int, int] | None = None  # instead of `right`: of however many there are

    def levels(self, items: int) -> tuple[float, float]:
        right = self.right
        if self.wrong_items:
            right = 1 - self.wrong_items[0] / items, 1 - self.wrong_items[1] / items
        spread = sqrt(1 + self.item**2 + self.item_and_arm**2 + self.seed**2)
        return float(norm.ppf(right[0])) * spread, float(norm.ppf(right[1])) * spread

    def gain(self, items: int) -> float:
        if self.wrong_items:
            return (self.wrong_items[0] - self.wrong_items[1]) / items
        return self.right[1] - self.right[0]


REGIMES = {
    "seeds": Regime(1.0, 0.0, 0.5, (0.75, 0.80)),
    "items": Regime(1.0, 3.0, 0.0, (0.75, 0.80)),
    "rest": Regime(1.0, 0.0, 0.0, (0.75, 0.80)),
    "both": Regime(1.0, 1.0, 0.2, (0.75, 0.80)),
    "ceiling": Regime(0.5, 1.0, 0.1, (0.0, 0.0), (4, 1)),
}


@dataclass
class Found:
    """Of one kind of job, with no gain and with one."""

    repeats: int = 0
    covered: int = 0
    covered_gain: int = 0
    wrong_positive: int = 0  # the interval lies above 0 where there is no gain

    def shares(self) -> tuple[float, float, float]:
        counts = (self.covered, self.covered_gain, self.wrong_positive)
        return tuple(count / self.repeats for count in counts)  # type: ignore[return-value]


def simulated(
    regime: Regime, seeds: int, items: int, random: np.random.Generator
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Transfer minus scratch in being right, (seeds, items): with no gain, and with a gain."""
    first, second = regime.levels(items)
    while True:
        latent = random.standard_normal((2, seeds, items), np.float32)
        latent += regime.seed * random.standard_normal((2, seeds, 1), np.float32)
        latent += regime.item_and_arm * random.standard_normal((2, 1, items), np.float32)
        latent += regime.item * random.standard_normal((1, 1, items), np.float32)
        scratch = (latent[0] > -first).astype(np.float64)
        yield (latent[1] > -first) - scratch, (latent[1] > -second) - scratch


def coverage(regime: Regime, seeds: int, items: int, repeats: int, seed: int) -> Found:
    found, truth = Found(repeats), regime.gain(items)
    jobs = simulated(regime, seeds, items, np.random.default_rng(seed))
    for _, (none, gain) in zip(range(repeats), jobs, strict=False):
        got = crossed_interval(none, CONFIDENCE)
        found.covered += got.low <= 0 <= got.high
        found.wrong_positive += got.low > 0
        got = crossed_interval(gain, CONFIDENCE)
        found.covered_gain += got.low <= truth <= got.high
    return found


def main() -> None:
    names = sys.argv[1:] or list(REGIMES)
    figures: dict[str, float] = {}
    outside = []
    for name in names:
        began = time.perf_counter()
        print(f"{name}: % covered without and with a gain, % wrong positives")
        for seeds in SEEDS:
            line = f"  {seeds:2} seeds"
            for items in ITEMS:
                found = coverage(REGIMES[name], seeds, items, REPEATS, seeds * items)
                covered, with_gain, wrong = found.shares()
                cell = f"{name}_{seeds}_{items}"
                figures[f"{cell}_covered"] = covered
                figures[f"{cell}_covered_gain"] = with_gain
                figures[f"{cell}_wrong_positive"] = wrong
                line += f" {items:7}:{100 * covered:6.1f}{100 * with_gain:6.1f}{100 * wrong:5.1f}"
                if _misses(covered, with_gain, wrong, name):
                    outside.append(cell)
            print(line, flush=True)
        print(f"  {time.perf_counter() - began:.0f} s")
    print(f"outside of what is wanted: {', '.join(outside) or 'none'}")
    shares = [value for key, value in figures.items() if "_covered" in key]
    wrong = max(value for key, value in figures.items() if key.endswith("_wrong_positive"))
    ratios = {"lowest_coverage": min(shares), "most_wrong_positives": wrong}
    print(json.dumps({"benchmark": "coverage", "ratios": ratios, "figures": figures}))


def _misses(covered: float, with_gain: float, wrong: float, name: str) -> bool:
    """By more than 3 standard errors of a share of REPEATS."""

    def error(share: float) -> float:
        return 3 * sqrt(share * (1 - share) / REPEATS)

    return (
        min(covered, with_gain) < LOWEST - error(LOWEST)
        or (name != "rest" and max(covered, with_gain) > HIGHEST + error(HIGHEST))
        or wrong > WRONG + error(WRONG)
    )


if __name__ == "__main__":
    main()
