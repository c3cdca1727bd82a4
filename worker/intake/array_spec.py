"""The part of a spec that is about files of arrays."""

from app.datasets.schemas import DatasetSpec
from app.datasets.table_spec import TableSpec
from app.errors import FailureCode, WorkFailure
from app.inputs import ARRAYS, Modality

OF_TABLES = tuple(TableSpec.model_fields)


def modality_of(spec: DatasetSpec, has_files: bool, has_columns: bool = False) -> Modality:
    """Raises WorkFailure `dataset_invalid` where the spec says what only a table has, or only files
    of pictures.

    Args:
        has_files: whether the arrays were made of such files.
        has_columns: whether a metadata file came with these, which a spec speaks of as of a table.
    """
    if spec.image_size and not has_files:
        detail = (
            "expected `image_size` with files of pictures alone, got arrays, which have a size: "
            "leave it out, and set a job's `model.image_size` where its network shall see another"
        )
        _refuse(detail, "image_size", "image_size_of_arrays")
    if spec.max_characters:
        detail = "expected `max_characters` where the items are texts, got others: leave it out"
        _refuse(detail, "max_characters", "not_for_arrays")
    for member in () if has_columns else OF_TABLES:
        said = getattr(spec, member)
        if member == "target":
            said = said and (said.column is not None or said.columns is not None)
        if said:
            got = "pictures without one" if has_files else "arrays"
            detail = (
                f"expected `{member}` for a table alone, as a CSV file, or for pictures with a "
                f"metadata.csv beside them, got {got}"
            )
            _refuse(detail, member)
    modality = spec.modality or "image"
    if modality not in ARRAYS:
        detail = f"expected a modality that arrays hold, {', '.join(ARRAYS)}, got {modality}"
        _refuse(f"{detail}; leave it out where the files say it", "modality")
    return modality


def _refuse(detail: str, member: str, reason: str = "not_a_table") -> None:
    raise WorkFailure(
        FailureCode.DATASET_INVALID,
        detail,
        stage="intake",
        reason=reason,
        pointer=f"#/spec/{member}",
    )
