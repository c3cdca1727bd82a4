"""An audit of a stored dataset: its labels against their neighbours', and what they say."""

from typing import Any

import numpy as np

from app.datasets.audits.schemas import MOST_SUSPECTS, AuditedClass, AuditResult, Suspect
from app.datasets.schemas import Schema
from app.datasets.schemas import Split as SplitName
from app.errors import FailureCode, WorkFailure
from app.tables.audits import AuditRow
from app.tables.datasets import DatasetRow
from app.tables.models import ModelRow
from worker.audit.audit import FeaturesOf, audited
from worker.audit.model_features import model_features
from worker.audit.neighbours import NEIGHBOURS
from worker.datasets.stored_data import dataset_split
from worker.machine.context import WorkerContext
from worker.training.data import Split
from worker.training.items import Items

SPLITS: tuple[SplitName, ...] = ("train", "test")
DESCRIBED_CLASSES = 1000


def result_of(context: WorkerContext, row: AuditRow) -> dict[str, Any]:
    """The row's `result`. Raises WorkFailure."""
    with context.database.read() as session:
        dataset = session.get(DatasetRow, row.dataset_id)
        model = session.get(ModelRow, row.model_id) if row.model_id else None
    if row.model_id and (model is None or model.deleted_at):
        detail = f"{row.model_id}, by whose features items are compared, was deleted"
        raise WorkFailure(FailureCode.DEPENDENCY_FAILED, detail, stage="audit")
    if dataset is None or dataset.deleted_at is not None:
        raise WorkFailure(FailureCode.DATASET_FAILED, "the dataset was deleted", stage="audit")
    schema = Schema.model_validate(dataset.schema)
    splits = {
        name: dataset_split(context.storage, dataset, name)
        for name in SPLITS
        if schema.splits.get(name)
    }
    features_of = model_features(context.storage, model, schema) if model else None
    return found_in(schema, splits, features_of).model_dump(mode="json")


def found_in(
    schema: Schema, splits: dict[SplitName, Split], features_of: FeaturesOf | None = None
) -> AuditResult:
    """The suspects of all splits, whose items are each other's neighbours."""
    parts = list(splits.values())
    whole = Split(
        Items.joined([part.items for part in parts]),
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.known for part in parts]),
    )
    suspects = audited(schema, whole, features_of)
    names, starts = schema.classes, np.cumsum([0, *map(len, parts)])

    def listed(place: int) -> Suspect:
        item = int(suspects.items[place])
        part = int(np.searchsorted(starts, item, side="right")) - 1
        return Suspect(
            split=list(splits)[part],
            index=item - int(starts[part]),
            label=names[whole.y[item]],
            proposed=names[suspects.proposed[place]],
            score=round(float(suspects.scores[place]), 4),
        )

    items = np.bincount(whole.y[whole.known], minlength=len(names))
    of_class = np.bincount(whole.y[suspects.items], minlength=len(names))
    classes = [
        AuditedClass(
            label=label,
            items=int(items[k]),
            suspects=int(of_class[k]),
            is_judged=bool(items[k] >= NEIGHBOURS),
        )
        for k, label in enumerate(names[:DESCRIBED_CLASSES])
    ]
    return AuditResult(
        items=int(whole.known.sum()),
        suspects=len(suspects),
        classes=classes,
        listed=[listed(place) for place in range(min(len(suspects), MOST_SUSPECTS))],
    )
