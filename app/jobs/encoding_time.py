"""Seconds that a job's texts take to be encoded, where their features are not in the store yet."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.datasets import repository as datasets
from app.datasets.schemas import Schema
from app.encoders import repository as encoders
from app.inputs.stored_encoder import KnownEncoder
from app.spec.plan import PRETRAIN, SCORE, PlannedTrial
from app.spec.spec import ResolvedSpec
from app.tables.datasets import DatasetRow


class EncodingTime(NamedTuple):
    """Seconds of one core."""

    sources: float = 0.0
    target: float = 0.0

    def added(self, trials: Sequence[PlannedTrial], seconds: Sequence[float]) -> list[float]:
        """Seconds of each trial with those of the features that it is the first to need."""
        found = list(seconds)
        if trials:
            found[0] += self.sources
            own = (n for n, trial in enumerate(trials) if trial.role not in {PRETRAIN, SCORE})
            found[next(own, 0)] += self.target
        return found


def encoding_time(session: Session, project: str, spec: ResolvedSpec) -> EncodingTime:
    """Time of what no job has had computed before; none where the network sees no features."""
    entry = spec.model.encoder
    if entry is None:
        return EncodingTime()
    found = encoders.find(session, entry)
    encoder_id = found.id if found else ""

    def seconds(reference: str | None) -> float:
        if reference is None:  # a model without its data
            return 0.0
        row = datasets.find(session, project, reference)
        return _seconds(session, entry, encoder_id, row)

    sources = {source.dataset: seconds(source.dataset) for source in spec.sources}
    return EncodingTime(sum(sources.values()), seconds(spec.target.dataset))


def _seconds(session: Session, entry: KnownEncoder, encoder_id: str, row: DatasetRow) -> float:
    schema = Schema.model_validate(row.schema)
    a_text = entry.seconds_of(schema.inputs.tokens)
    total = 0.0
    for split, count in schema.splits.items():
        for name in schema.inputs.arrays(split).values():
            refs = encoders.refs(session, encoder_id, row.arrays.get(name, ""))
            missing = refs.count(None) / len(refs) if refs else 1.0
            total += missing * count * a_text
    return total
