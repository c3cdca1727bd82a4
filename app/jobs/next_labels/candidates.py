"""Items that may be ranked for a job, and the questions that are refused."""

from app.datasets import repository as datasets
from app.datasets.schemas import Schema, Split
from app.errors import Conflict, Invalid, invalid
from app.inputs import Inputs
from app.inputs.table import TableInputs
from app.spec.spec import ResolvedSpec
from app.tables.datasets import DatasetRow
from app.tables.jobs import ENDED, JobRow
from app.tables.models import ModelRow
from app.tasks import TASKS

FROM, SHOWN = "#/from", 5


def unseen_splits(schema: Schema) -> tuple[Split, ...]:
    """Splits of a dataset that is not the job's target whose items without a label are candidates:
    its test items too where none of them has one, as their split was cut at random."""
    both: tuple[Split, ...] = ("train", "test")
    if schema.splits.get("test") and not schema.has_labels("test"):
        return both
    return ("train",)


def require_network(job: JobRow, model: ModelRow | None) -> ModelRow:
    """The job's model, which has features. Raises Conflict, Invalid."""
    if job.status not in ENDED:
        detail = f"expected a job that has ended, {job.id} is {job.status}"
        raise Conflict("job_not_ended", detail)
    if job.model_id is None:
        detail = (
            f"expected a job that has a model, whose features say what an item brings; {job.id} "
            "has none"
        )
        raise Conflict("no_model", detail)
    if model is None:
        raise Conflict("model_deleted", f"expected a model that is there, {job.model_id} is not")
    if model.error:
        raise Conflict(model.error["code"], model.error["message"])
    if "weights" not in model.files:
        detail = (
            f"expected a job whose model is a network, which has features; that of {job.id} is "
            f"the reference {model.card['arm']}"
        )
        raise Invalid("needs_network", detail)
    return model


def require_candidates(job: JobRow, target: DatasetRow | None, asked: DatasetRow | None) -> str:
    """The dataset whose items are ranked: `asked`, or the job's `target`. Raises Conflict,
    Invalid."""
    if target is None or target.deleted_at:
        detail = f"expected a target that is there, {job.target_id} was deleted"
        raise Conflict("dataset_deleted", detail)
    own, spec = datasets.ready_schema_of(target), ResolvedSpec.model_validate(job.spec)
    if asked is None or asked.id == target.id:
        _refuse_without_unseen(spec, own, target.id)
        return target.id
    schema = datasets.ready_schema_of(asked)
    if own.inputs.mismatches(schema.inputs, spec.model.image_size):
        detail = (
            f"expected items as the job's target has them ({_told(own)}), got {_told(schema)} in "
            f"{asked.id}"
        )
        raise invalid("shape_mismatch", detail, FROM)
    if lacking := _lacking(own.inputs, schema.inputs):
        detail = f"expected the columns of the job's target, {asked.id} lacks {', '.join(lacking)}"
        raise invalid("column_missing", detail, FROM)
    if not any(
        schema.splits.get(split, 0) > schema.labelled(split) for split in unseen_splits(schema)
    ):
        detail = f"expected items without a label, all training items of {asked.id} have one"
        raise invalid("no_unlabelled_items", detail, FROM)
    return asked.id


def _refuse_without_unseen(spec: ResolvedSpec, schema: Schema, target_id: str) -> None:
    if not spec.target.use_labels:
        return  # its labels are hidden, all of them
    task, counts = TASKS[spec.task], schema.class_counts.get("train", ())
    seen = sum(task.strata(counts, spec.target.budget))
    if schema.splits["train"] <= seen:
        detail = (
            f"expected training items whose labels the job has not seen, those of {target_id} all "
            "have one; name a dataset of items without labels in `from`"
        )
        raise invalid("no_unlabelled_items", detail, FROM)


def _told(schema: Schema) -> str:
    return f"{schema.inputs.modality} {schema.inputs.summary}"


def _lacking(own: Inputs, theirs: Inputs) -> list[str]:
    """Columns, by name and kind, that a network for `own` rows needs."""
    if not isinstance(own, TableInputs) or not isinstance(theirs, TableInputs):
        return []
    there = {(column.name, column.kind) for column in theirs.columns}
    lacking = [f"{c.name} ({c.kind})" for c in own.columns if (c.name, c.kind) not in there]
    shown = lacking[:SHOWN]
    return [*shown, f"{len(lacking) - SHOWN} more"] if len(lacking) > SHOWN else shown
