"""A table -> what is stored of it: its rows are the items, or the texts of one of its columns."""

from pathlib import Path

from app.datasets.schemas import DatasetSpec
from worker.intake.ingested import IngestedDataset
from worker.intake.raw import IntakeLimits
from worker.intake.tables.readings import Reading
from worker.intake.tables.records import Records, refuse_said
from worker.intake.tables.table import prepare_table
from worker.intake.tables.target import check_columns
from worker.intake.tables.text_column import TextColumn, text_column
from worker.intake.tables.texts import prepare_texts

MODALITIES = ("table", "text")


def prepare_items(
    records: Records, spec: DatasetSpec, limits: IntakeLimits, workdir: Path
) -> IngestedDataset:
    """Raises WorkFailure `dataset_invalid`."""
    _check_spec(records, spec)
    reading = Reading(missing=spec.missing, decimal=records.decimal)
    match text_column(records, spec, reading):
        case TextColumn() as column:
            return prepare_texts(records, column, spec, limits, workdir)
        case None:
            if spec.max_characters is not None:
                detail = "expected `max_characters` where the items are texts, got a table"
                refuse_said("not_for_tables", detail, "max_characters")
            return prepare_table(records, spec, limits, workdir)


def _check_spec(records: Records, spec: DatasetSpec) -> None:
    names = records.train.names
    for name in spec.columns:
        check_columns([name], names, "columns", name)
    if spec.modality not in {None, *MODALITIES}:
        detail = f"expected the modality table or text for rows of a table, got {spec.modality}"
        refuse_said("not_a_table", f"{detail}; leave it out where the files say it", "modality")
    if spec.image_size is not None:
        detail = "expected `image_size` for files of pictures alone, got a table"
        refuse_said("not_for_tables", detail, "image_size")
    if spec.value_range is not None:
        detail = "expected `value_range` for pictures alone, got a table"
        refuse_said("not_for_tables", detail, "value_range")
