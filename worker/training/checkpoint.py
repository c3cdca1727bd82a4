"""All that a resumed trial needs to go on with the same bits."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Self
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

Backend = Literal["xla", "plain"]
_META = "meta"


class BadCheckpoint(ValueError):
    """The file is no checkpoint, or no longer."""


@dataclass
class Position:
    """Place where a trial stands: `step` steps into the epoch after `epochs` finished ones."""

    phase: int = 0
    epochs: int = 0
    step: int = 0
    losses: list[float] = field(default_factory=list)  # training loss of the phase's epochs
    best_loss: float | None = None  # on validation, where the phase stops early
    best_epoch: int = 0
    seconds: float = 0.0  # of training in the epoch under way


@dataclass(frozen=True)
class Checkpoint:
    """`arrays`: variables, optimizers' slots and the best epoch's variables by number, and the sums
    of the epoch under way.

    Without XLA the number of threads changes the bits, and XLA and the plain loop differ: so both
    are recorded. `backends` is kept on resume; `threads` can only be compared.
    """

    arrays: dict[str, NDArray[Any]]
    position: Position
    seed: int
    backends: tuple[Backend, ...]  # one per phase
    threads: int
    notes: tuple[str, ...] = ()  # on what was not as it should be

    def save(self, path: Path) -> None:
        """Writes an .npz beside `path`, then moves it into place."""
        meta = {
            "position": asdict(self.position),
            "seed": self.seed,
            "backends": self.backends,
            "threads": self.threads,
            "notes": self.notes,
        }
        stored: dict[str, Any] = {_META: np.array(json.dumps(meta)), **self.arrays}
        partial = path.with_name(f"{path.name}.{uuid4().hex}.partial")
        try:
            with partial.open("wb") as file:
                np.savez(file, **stored)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises BadCheckpoint where the file is not what `save` writes."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files if name != _META}
                meta = json.loads(str(stored[_META]))
            position = Position(**meta["position"])
            backends, notes = tuple(meta["backends"]), tuple(meta.get("notes", ()))
            return cls(arrays, position, meta["seed"], backends, meta["threads"], notes)
        except OSError:  # the disk's fault, if not the file's
            raise
        except Exception as error:  # what damaged bytes raise in zipfile, zlib, NumPy and json
            raise BadCheckpoint(f"{type(error).__name__}: {error}") from error
