"""A model's stored files, held against their names."""

from pathlib import Path

from app.errors import DamagedArtifact
from app.storage import Storage
from app.tables.models import ModelRow


def file_path(storage: Storage, row: ModelRow, kind: str) -> Path:
    """Path of `onnx` and so on. Raises DamagedArtifact, which says whose file it is."""
    try:
        return storage.local(row.files[kind])
    except DamagedArtifact as damage:
        raise named(damage, row) from damage


def named(damage: DamagedArtifact, row: ModelRow) -> DamagedArtifact:
    """`damage` of one of the row's files, with what heals it."""
    kind = next(kind for kind, ref in row.files.items() if ref == damage.ref)
    again = "import it again" if row.origin == "imported" else "run its job anew for another model"
    cure = f"restore the file from a backup, or {again}"
    return damage.named(f"the file `{kind}` of the model {row.id} ({row.name})", cure)
