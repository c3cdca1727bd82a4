"""Inputs of a trial's phases: raw items, or features of the frozen backbone."""

from collections.abc import Callable
from dataclasses import replace

from worker.backbones.network import Network
from worker.inputs.contract import InputLayers
from worker.strategies.recipe import FEATURES, Features, Labels, Phase, Stream
from worker.training.data import Split
from worker.training.features import features_of
from worker.training.items import Items
from worker.training.predict import features_seen_by
from worker.training.setup import TrialSetup


class Inputs:
    """`source` makes of the source's raw items what the network takes; `look` is called between
    blocks of items whose features are computed."""

    def __init__(
        self, setup: TrialSetup, network: Network, source: InputLayers, look: Callable[[], None]
    ) -> None:
        self._setup, self._network, self._source, self._look = setup, network, source, look

    def rows(self, stream: Stream) -> Split:
        """Rows that are trained on. Raises ValueError where the trial was given no such data."""
        setup = self._setup
        match stream:
            case "target":
                found: Split | None = setup.target.train
            case "source":
                found = setup.source.train if setup.source else None
            case "unlabelled":
                found = setup.unlabelled
        if found is None:
            raise ValueError(f"expected the {stream}'s data, got none")
        return found

    def normed(self, phase: Phase, stream: Stream) -> Items:
        """Items of a stream that BatchNorm's statistics are measured on at the phase's end."""
        streams: tuple[Stream, ...] = (stream,)
        if stream == "target" and "unlabelled" in phase.streams:
            streams = ("target", "unlabelled")
        return Items.joined([self.rows(each).items for each in streams])

    def of(self, phase: Phase) -> tuple[dict[Stream, Split], Split]:
        """The training split of each stream, and the validation split, as the phase takes them."""
        streams = {stream: self.rows(stream) for stream in phase.streams}
        validation = self._setup.target.validation
        if phase.inputs == "features":
            streams = {stream: self._features(split) for stream, split in streams.items()}
            validation = self._features(validation)
        return streams, validation

    def outlook(self, stream: Stream) -> tuple[Features, Labels]:
        """Features of all items of a stream, in inference, and their labels."""
        rows = self.rows(stream)
        source, target = self._setup.source, self._setup.target
        if stream == "source" and source and source.schema.inputs != target.schema.inputs:
            found = features_seen_by(self._network, self._source, rows.items)
            return found, rows.y
        return features_of(self._network, rows.items, self._look), rows.y

    def _features(self, split: Split) -> Split:
        features = features_of(self._network, split.items, self._look)
        return replace(split, items=Items.of({FEATURES: features}))
