"""A dataset's stored files, held against their names."""

from pathlib import Path

from app.errors import DamagedArtifact
from app.storage import Storage
from app.tables.datasets import DatasetRow

UPLOAD = "upload"  # the origin of what was sent


def array_path(storage: Storage, row: DatasetRow, array: str) -> Path:
    """Path of `x_train` and so on. Raises DamagedArtifact, which says whose file it is."""
    try:
        return storage.local(row.arrays[array])
    except DamagedArtifact as damage:
        raise named(damage, row) from damage


def named(damage: DamagedArtifact, row: DatasetRow) -> DamagedArtifact:
    """`damage` of one of the row's arrays, with what heals it."""
    array = next(name for name, ref in row.arrays.items() if ref == damage.ref)
    cure = "upload the same data again, which heals it, or delete it"
    if row.origin_key:
        cure = f"ask for {row.origin} again, which heals it"
    elif row.origin != UPLOAD:
        cure = f"derive the same of {row.origin} again, which heals it, or delete it"
    return damage.named(f"{array} of the dataset {row.id} ({row.name})", cure)
