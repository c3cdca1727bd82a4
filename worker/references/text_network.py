"""The reference for texts that is a network: characters alone, from random weights, on the labels
that the arms have.

Where a job's network stands on a frozen encoder, its baseline `scratch` stands on it too. This one
does not: it is what `scratch` is in a job on `charconv` with that backbone's own defaults. It is
compared with, and not served.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from app.spec.backbones import CATALOGUE
from app.spec.references import NETWORK
from app.spec.strategies import BASELINE
from app.spec.text_choices import Charconv
from app.spec.training import Training
from worker.backbones.network import Network
from worker.references.reference import Array
from worker.training.data import Split
from worker.training.predict import outputs_of
from worker.training.run import train
from worker.training.setup import Signal, TrialSetup
from worker.training.unwritten import UnwrittenJournal


@dataclass(frozen=True, eq=False)
class TextNetwork:
    """`rows`: that it was trained on."""

    network: Network
    rows: int

    @classmethod
    def fit(cls, setup: TrialSetup, signal: Callable[[], Signal | None]) -> Self:
        """Trains on the trial's training items; the best epoch is chosen on its validation items.

        Args:
            signal: asked between steps; whatever it says ends the training.

        Raises:
            Interrupted: without a checkpoint: it starts anew. WorkFailure: as training does.
        """
        recipe = CATALOGUE[NETWORK].recipe
        training = Training.model_validate(dict(recipe)).on(len(setup.target.train))
        own = replace(
            setup,
            recipe=BASELINE,
            params=None,
            model=Charconv(backbone="charconv"),
            training=training,
            source=None,
            source_weights=None,
            source_places=None,
            learnt=None,
            is_pretrained=False,
            unlabelled=None,
        )
        return cls(train(own, UnwrittenJournal(signal)), len(setup.target.train))

    def outputs(self, split: Split) -> Array:
        """(n, K), as any network has them."""
        return outputs_of(self.network, split.items)
