"""References by what their items are."""

from collections.abc import Callable
from typing import Protocol

from app.inputs.text import TextInputs
from app.spec.references import NETWORK, PlannedReference
from worker.references.reference import Array, FittedReference
from worker.references.text_network import TextNetwork
from worker.references.text_reference import TextReference
from worker.training.data import Split
from worker.training.setup import Signal, TrialSetup


class Answering(Protocol):
    """A fitted reference."""

    @property
    def rows(self) -> int:
        """Counts the training items that it was fitted on."""

    def outputs(self, split: Split) -> Array:
        """(n, K) as a network has them."""


def fitted(
    reference: PlannedReference,
    setup: TrialSetup,
    signal: Callable[[], Signal | None] = lambda: None,
) -> Answering:
    """Fits on the trial's training items. `signal`: asked while a network is trained; raises
    Interrupted where it says anything."""
    if reference.model == NETWORK:
        return TextNetwork.fit(setup, signal)
    if isinstance(setup.target.schema.inputs, TextInputs):
        return TextReference.fit(reference, setup)
    return FittedReference.fit(reference, setup)
