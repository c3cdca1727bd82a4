"""All that a job has left behind once its trials have ended."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.datasets.schemas import Schema
from app.errors import DamagedArtifact
from app.inputs import Inputs
from app.inputs.features import FeaturesInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.joint_parts import JoinedAdoption
from app.jobs.schemas import EvidenceOut
from app.spec.frozen_photos import thawed
from app.spec.spec import Adopting, ResolvedSpec
from app.storage import Storage
from app.tables.datasets import DatasetRow
from app.tables.jobs import JobRow, TrialRow
from worker.backbones.network import Architecture, Network
from worker.evaluation.archive import Arrays, read_arrays
from worker.training.setup import Signal


@dataclass(frozen=True)
class EndedJob:
    job: JobRow
    spec: ResolvedSpec
    schema: Schema
    target: DatasetRow
    trials: list[TrialRow]
    evidence: EvidenceOut
    signal: Callable[[], Signal | None]  # whatever it says ends a training of the finaliser's own

    @property
    def part(self) -> JoinedPart | None:
        """Part of the network's items that the target's are, where they are one alone."""
        inputs, name = self.whole_inputs, self.spec.part
        return inputs.part(name) if name and isinstance(inputs, JoinedInputs) else None

    @property
    def whole_inputs(self) -> Inputs:
        """Inputs of all parts as they are sent: texts and pictures in place of features."""
        seen, stored = self.schema.inputs, Schema.model_validate(self.target.schema).inputs
        if isinstance(seen, JoinedInputs):
            return thawed(seen, stored)
        return stored if isinstance(seen, FeaturesInputs) else seen

    @property
    def raw_inputs(self) -> Inputs:
        """Inputs that clients send: all parts, or the one that the target's items are."""
        return self.part.sent if self.part else self.whole_inputs

    @property
    def raw_adoption(self) -> Adopting | None:
        """Says how the target's items become those that the packaged model takes."""
        whole = self.whole_inputs
        if isinstance(whole, JoinedInputs):
            return JoinedAdoption(whole, self.spec.part)
        return self.spec.adoption()

    def result(self, storage: Storage, ref: str) -> Path:
        """Path of what a trial has stored. Raises DamagedArtifact, which says whose it is."""
        try:
            return storage.local(ref)
        except DamagedArtifact as damage:
            trial = next(t for t in self.trials if ref in (t.weights, t.predictions))
            what = f"what the trial {trial.id} ({trial.arm}) has stored"
            raise damage.named(what, "retry the job, which runs that trial again") from damage

    def arrays(self, storage: Storage, trial: TrialRow) -> Arrays:
        """Predictions of a trial that has stored some."""
        return read_arrays(self.result(storage, str(trial.predictions)))

    def network(self, weights: Path) -> Network:
        network = Network(Architecture.of(self.spec.model, self.schema))
        network.load_weights(weights)
        return network
