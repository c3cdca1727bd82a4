"""Stored things that a ranking is made of: a job's winner, labelled items, candidates."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.datasets.schemas import Schema
from app.datasets.schemas import Split as SplitName
from app.datasets.stored import array_path
from app.errors import FailureCode, WorkFailure
from app.inputs import Inputs
from app.inputs.features import FeaturesInputs
from app.jobs.next_labels.candidates import unseen_splits
from app.models.schemas import Signature
from app.models.stored import file_path
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow, TrialRow
from app.tables.models import ModelRow
from app.tables.next_labels import NextLabelsRow
from worker.backbones.network import Architecture, Network
from worker.datasets.encoded import Encoded, StoredTexts, Unwatched, arrays_of, encode
from worker.datasets.stored_data import dataset_split
from worker.datasets.stored_rows import StoredRows
from worker.labelling.embeddings import Floats
from worker.machine.context import WorkerContext
from worker.training import predict
from worker.training.data import Split
from worker.training.items import Items
from worker.training.label_budget import within_budget
from worker.training.program import shared_network
from worker.trials.starting_point import starting_point
from worker.trials.trial_data import TrialData

IDENTIFIERS = ("identifier", "id")


@dataclass(frozen=True, eq=False)
class Candidates:
    """Items without a label of one dataset: `splits` (n,), the name of each one's split, `places`
    (n,), int64, its place in that; `items`, n of them."""

    items: Items
    splits: NDArray[np.str_]
    places: NDArray[np.int64]

    def select(self, chosen: NDArray[np.int64]) -> "Candidates":
        return Candidates(self.items.select(chosen), self.splits[chosen], self.places[chosen])

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True)
class Winner:
    """A job's model, and the rows that it came from."""

    storage: Storage
    data: TrialData
    model: ModelRow
    asked: DatasetRow

    @classmethod
    def of(cls, session: Session, storage: Storage, row: NextLabelsRow) -> "Winner":
        """Raises WorkFailure where something has been deleted since it was asked."""
        job = session.get_one(JobRow, row.job_id)
        model = session.get(ModelRow, job.model_id or "")
        if model is None or model.deleted_at:
            raise WorkFailure(FailureCode.DEPENDENCY_FAILED, "the job's model was deleted")
        data = TrialData.of(session, session.get_one(TrialRow, model.trial_id or ""))
        asked = session.get(DatasetRow, row.dataset_id)
        if asked is None or asked.deleted_at or data.target.deleted_at:
            raise WorkFailure(FailureCode.DATASET_FAILED, "a dataset that is needed was deleted")
        return cls(storage, data, model, asked)

    def encoded(self, context: WorkerContext) -> "Winner":
        """Returns the winner with features of all items that are looked at, where the network sees
        such. Raises WorkFailure."""
        inputs = self.data.spec.inputs
        if not isinstance(inputs, FeaturesInputs):
            return self
        looked_at = {row.id: row for row in (self.data.target, self.asked)}
        texts = [
            StoredTexts.of(self.storage, row, split)
            for row in looked_at.values()
            for split in arrays_of(row)
        ]
        encode(context, inputs, texts, Unwatched())
        with context.database.read() as session:
            found = Encoded.of(session, inputs, [*looked_at.values(), *self.data.sources])
        return replace(self, data=replace(self.data, encoded=found))

    @property
    def signature(self) -> Signature:
        return Signature.model_validate(self.model.signature)

    @property
    def schema(self) -> Schema:
        """Schema of the dataset whose items are ranked."""
        return Schema.model_validate(self.asked.schema)

    def labelled(self) -> Split:
        """The target's training items whose labels the winner has seen; none where they are
        hidden."""
        split = self.data.target_split(self.storage, "train")
        return split.select(self._seen(split))

    def candidates(self) -> Candidates:
        """Raises DamagedArtifact."""
        if self.asked.id == self.data.target.id:
            split = self.data.target_split(self.storage, "train")
            return self._of({"train": (split, self._seen(split))})
        adoption = self.data.encoded or self.data.spec.adoption()
        found = dict[SplitName, tuple[Split, NDArray[np.int64]]]()
        for name in unseen_splits(self.schema):
            split = dataset_split(self.storage, self.asked, name, adoption)
            found[name] = split, np.flatnonzero(split.known)
        return self._of(found)

    def identifiers(self, chosen: Candidates) -> tuple[str | None, list[str | None]]:
        """The column whose values name the rows, and its value for each; None of what has none."""
        names = [
            c.name for c in self.schema.columns if c.kind in IDENTIFIERS or c.role in IDENTIFIERS
        ]
        if not names or "rows" not in self.asked.arrays:
            return None, [None] * len(chosen)
        values = StoredRows(array_path(self.storage, self.asked, "rows")).column(names[0])
        first = np.where(chosen.splits == "test", self.schema.splits["train"], 0)
        found = [values[int(place)].as_py() for place in first + chosen.places]
        return names[0], [None if value is None else str(value) for value in found]

    def seen(self, items: Items, inputs: Inputs) -> tuple[Floats, Floats]:
        """The winner's features (n, d) and outputs (n, K), before any activation and divided by
        the model's temperature. `inputs`: what the items are, as the network sees them."""
        network = self._network(inputs)
        network.load_weights(file_path(self.storage, self.model, "weights"))
        features = predict.features(network, items)
        outputs = np.asarray(network.compiled_head(features)) / self._temperature
        return features.astype(np.float64), outputs.astype(np.float64)

    @property
    def _temperature(self) -> float:
        """The temperature of the model's stored weights: of an ensemble these are one seed's, and
        its own is not theirs."""
        own = None if "ensemble" in self.model.card else self.signature.temperature
        return own or 1.0

    def starting_features(self, items: Items) -> NDArray[Any] | None:
        """Features of the target's `items`, (n, d), by the weights that the winner started from,
        before it saw any of their labels; None where it started from none, or from a model that
        was deleted since."""
        if any(model.deleted_at for model in self.data.models):
            return None
        weights, learnt = starting_point(self.storage, self.data)
        if weights is None:
            return None
        network = self._network(self.data.target_schema.inputs)
        network.load_backbone(Path(weights), learnt)
        return predict.features(network, items)

    def _network(self, inputs: Inputs) -> Network:
        task = self.signature.task.nameless
        return shared_network(Architecture(self.data.spec.model, inputs, task))

    def _seen(self, split: Split) -> NDArray[np.int64]:
        if self.data.hides_labels:
            return np.empty(0, np.int64)
        trial = self.data.trial
        return within_budget(self.data.target_schema, split, trial.labels_per_class, trial.seed)

    @staticmethod
    def _of(splits: dict[SplitName, tuple[Split, NDArray[np.int64]]]) -> Candidates:
        """All items but those at the places that stand beside them."""
        left = {
            name: np.setdiff1d(np.arange(len(split)), seen)
            for name, (split, seen) in splits.items()
        }
        return Candidates(
            Items.joined([split.items.select(left[name]) for name, (split, _) in splits.items()]),
            np.concatenate([np.full(len(places), name) for name, places in left.items()]),
            np.concatenate(list(left.values())),
        )
