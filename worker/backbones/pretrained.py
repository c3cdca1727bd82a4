"""Pretrained weights as files that networks load: made once on a machine of the file that comes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from app.errors import FailureCode, WorkFailure
from app.pretrained.files import is_whole, located
from app.spec.backbones import EfficientnetLite, EfficientnetV2B0
from app.spec.pretrained import Pretrained
from worker.backbones import efficientnet_lite, efficientnet_v2
from worker.backbones.torch_file import NoTensorFile, read_tensors

REVISION = 1  # raised when the names or the layout of what is made change
STAGE = "weights"


def weights_file(weights: Pretrained, cache_dir: Path) -> Path:
    """The weights by the names of worker/backbones/network.py, .npz; made of the package's file, or
    of the fetched one, where it is not there yet.

    Raises WorkFailure `weights_unavailable`, which names the command that brings the file.
    """
    folder = cache_dir / "backbones"
    made = folder / f"{weights.backbone}-{weights.digest[:16]}-{REVISION}.npz"
    if made.exists():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{made.name}.lock"):  # trials of one job begin together
        if not made.exists():
            _save(_arrays(weights, _whole(weights, cache_dir)), made)
    return made


def _whole(weights: Pretrained, cache_dir: Path) -> Path:
    """The file that comes, its hash compared."""
    file = located(weights, cache_dir)
    if file is None:
        raise _unavailable(weights, "got no file of them where the worker runs")
    if not is_whole(weights, file):
        raise _unavailable(weights, f"got a file whose digest is not {weights.digest[:16]}…")
    return file


def _arrays(weights: Pretrained, file: Path) -> Mapping[str, NDArray[np.float32]]:
    network = weights.network(None)
    try:
        match network:
            case EfficientnetLite():
                return efficientnet_lite.from_torch(network.params, read_tensors(file))
            case EfficientnetV2B0():
                return efficientnet_v2.from_keras(file)
    except (NoTensorFile, KeyError, ValueError) as error:
        raise _unavailable(weights, f"got a file that holds others ({error})") from error
    raise ValueError(f"{weights.reference}: expected a network whose weights can be read")


def _unavailable(weights: Pretrained, got: str) -> WorkFailure:
    detail = (
        f"expected the weights of {weights.backbone}, {got}: `{weights.command}` brings them; "
        "then retry the job"
    )
    return WorkFailure(FailureCode.WEIGHTS_UNAVAILABLE, detail, stage=STAGE)


def _save(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    partial = path.with_name(f"{path.name}.{uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            whole = {name: np.ascontiguousarray(each) for name, each in arrays.items()}
            np.savez(file, **cast("dict[str, Any]", whole))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
