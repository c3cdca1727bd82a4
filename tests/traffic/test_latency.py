"""Quantiles of counted times, against those of the times themselves."""

from collections import Counter

import numpy as np
import pytest

from app.traffic.latency import BINS, bin_of, quantile


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_quantiles_are_right_to_five_percent(share: float) -> None:
    times = np.random.default_rng(0).lognormal(-6, 1.5, 5000)
    found = quantile(Counter(map(bin_of, times.tolist())), share)
    assert found == pytest.approx(np.quantile(times, share, method="inverted_cdf"), rel=0.05)


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 1e-5])
def test_what_is_shorter_than_all_bins_is_in_the_first(seconds: float) -> None:
    assert bin_of(seconds) == 0


def test_what_is_longer_than_all_bins_is_in_the_last() -> None:
    assert bin_of(1e6) == BINS - 1


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None
