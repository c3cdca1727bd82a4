"""Made-up pictures as a user would upload them: the same bytes on every machine."""

import io
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray


def _patterns(rng: np.random.Generator, labels: NDArray[np.int64], side: int) -> NDArray[np.uint8]:
    """One pattern per class, under noise."""
    patterns = np.random.default_rng(7).integers(0, 200, (10, side, side))
    noise = rng.integers(-90, 91, (len(labels), side, side))
    return np.clip(patterns[labels] + noise, 0, 255).astype(np.uint8)


def _upload(x: NDArray[np.generic], y: NDArray[np.int64], train: int) -> bytes:
    file = io.BytesIO()
    np.savez(file, x_train=x[:train], y_train=y[:train], x_test=x[train:], y_test=y[train:])
    return file.getvalue()


def _grey(seed: int, classes: tuple[int, ...], train: int, test: int) -> bytes:
    y = np.array(classes)[np.arange(train + test) % len(classes)]
    return _upload(_patterns(np.random.default_rng(seed), y, 8), y, train)


def _coloured(seed: int, side: int, train: int, test: int) -> bytes:
    """Three channels of fractions from 0 to 1."""
    y = np.arange(train + test) % 4
    rng = np.random.default_rng(seed)
    channels = [_patterns(rng, y, side) for _ in range(3)]
    return _upload(np.stack(channels, axis=-1).astype(np.float32) / 255, y, train)


def _pairs(seed: int, train: int, test: int) -> bytes:
    """Pictures, each beside a row of two numbers, of which the first tells the class."""
    y = np.arange(train + test) % 4
    rng, file = np.random.default_rng(seed), io.BytesIO()
    picture = _patterns(rng, y, 8)
    row = (y[:, None] * [0.5, 0.0] + rng.integers(-40, 41, (len(y), 2)) / 100).astype(np.float32)
    np.savez(
        file,
        **{
            **{"x_train.picture": picture[:train], "x_test.picture": picture[train:]},
            **{"x_train.row": row[:train], "x_test.row": row[train:]},
            **{"y_train": y[:train], "y_test": y[train:]},
        },
    )
    return file.getvalue()


UPLOADS: dict[str, bytes] = {
    "source": _grey(1, (0, 1, 2, 3), train=48, test=16),
    "target": _grey(2, (0, 1, 2, 3), train=40, test=16),
    "fives": _grey(3, (5, 1, 2), train=36, test=12),  # fewer classes, one of them new
    "large colours": _coloured(4, side=11, train=48, test=16),
    "colours": _coloured(5, side=8, train=40, test=16),
}

# Came later, and are no part of the digest: it tells what was kept before.
PAIRS: dict[str, bytes] = {"pairs": _pairs(6, train=48, test=16)}


def digest_of_all() -> str:
    """Tells other pictures, as another numpy might draw them, from other training on the same."""
    return sha256(b"".join(UPLOADS.values())).hexdigest()[:16]
