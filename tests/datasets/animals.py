"""Pictures of four classes, made on the spot."""

from typing import Any

import numpy as np

from tests.intake.archives import arrays, npz_bytes, pictures

NAMES = np.array(["eel", "dog", "cat", "bee"])  # not in the order of the alphabet


def animals(**changed: Any) -> dict[str, bytes]:
    """Forty training and twelve test pictures of four classes, ten and three each."""
    held = {
        "x_train": pictures(40),
        "y_train": np.arange(40) % 4,
        "x_test": pictures(12, seed=1),
        "y_test": np.arange(12) % 4,
        "class_names": NAMES,
        **changed,
    }
    return {"animals.npz": npz_bytes(**arrays(**held))}
