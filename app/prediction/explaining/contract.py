"""The contract of occlusions: an item with a part of it taken away, again and again.

Occlusion: Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014,
arXiv:1311.2901, section 4.2. A part's contribution is the answer to the whole item minus the answer
to the item without it. Departures: the parts of a picture overlap by two thirds of their sides, and
columns, words and parts of items are taken away in the same manner.
"""

from collections.abc import Sequence
from typing import Protocol

from app.prediction.explaining.schemas import Contributions
from app.prediction.feeds import Part

MOST = 255  # parts taken away for one explanation; the whole item is asked about as well
Changes = Sequence[float | None]  # of an answer; None where it has none without that part


class Occlusions(Protocol):
    """An item without each of its parts in turn, `len` of them."""

    def __len__(self) -> int: ...

    def rows(self, which: range) -> Part:
        """Makes the items without those parts, as decoded. `which`: in one run, at least one."""

    def told(self, changes: Changes) -> Contributions:
        """Composes what is answered. `changes`: of all parts, in their order."""
