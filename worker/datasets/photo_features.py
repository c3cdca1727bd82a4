"""Features of stored pictures by a frozen pretrained network: computed once on a machine, some
pictures at a time, and kept in its cache for all trials, jobs and workers.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from app.inputs.image import IMAGE, ImageInputs
from app.inputs.joined_part import JoinedPart
from app.inputs.photo_features import PhotoFeaturesInputs
from app.spec.pretrained import PRETRAINED
from app.tasks.classification import Classification
from worker.backbones.network import Architecture, Network
from worker.backbones.pretrained import weights_file
from worker.datasets.room import room
from worker.training import features
from worker.training.items import Items

CHUNK = 256  # pictures: some seconds of two cores
MOST_BYTES = 4 * 2**30  # of features that are kept, but for those in use
LOOK_SECONDS = 0.5  # between two looks while another process computes
REVISION = 1  # raised when the same network says something else of the same pictures

Floats = NDArray[np.float32]


def frozen_network(pictures: ImageInputs, seen: PhotoFeaturesInputs, cache: Path) -> Network:
    """The network whose features are seen of such pictures, its weights loaded. Raises WorkFailure
    `weights_unavailable`."""
    return _network(pictures, seen, weights_file(PRETRAINED[seen.weights], cache))


@lru_cache(2)
def _network(pictures: ImageInputs, seen: PhotoFeaturesInputs, weights: Path) -> Network:
    model = PRETRAINED[seen.weights].network(seen.size)
    network = Network(Architecture(model, pictures, Classification(classes=("a", "b")).nameless))
    network.load_backbone(weights)
    return network


def photo_features(
    items: Items,
    stored: JoinedPart,
    seen: PhotoFeaturesInputs,
    cache: Path,
    look: Callable[[], None] = lambda: None,
) -> Floats:
    """Features (n, dimension) of a part of stored items, zeros where it is missing.

    Args:
        items: with the part's pictures, and the flag that says which are there.
        cache: the machine's, where features that were computed are kept.
        look: called every few seconds; what it raises ends the work, and what is computed stays.

    Raises:
        WorkFailure: `weights_unavailable`.
    """
    assert isinstance(stored.inputs, ImageInputs)
    found = room((len(items), *seen.shape))
    folder = cache / "photo-features"
    folder.mkdir(parents=True, exist_ok=True)
    key = _key(items, stored, seen)
    for number, start in enumerate(range(0, len(items), CHUNK)):
        chunk = folder / f"{key}-{number}.npy"
        rows = slice(start, start + CHUNK)
        if (kept := _kept(chunk)) is None:
            with _turn(folder / f"{key}.lock", look):
                if (kept := _kept(chunk)) is None:
                    look()
                    kept = _computed(items.select(rows), stored, seen, cache, len(items))
                    _keep(kept, chunk)
        found[rows] = kept
    return found


@contextmanager
def _turn(lock: Path, look: Callable[[], None]) -> Iterator[None]:
    """One process of this machine at a time."""
    held = FileLock(lock)
    while True:
        try:
            held.acquire(timeout=LOOK_SECONDS)
            break
        except Timeout:
            look()
    try:
        yield
    finally:
        held.release()


def _key(items: Items, stored: JoinedPart, seen: PhotoFeaturesInputs) -> str:
    facts = REVISION, items.key, stored.model_dump_json(), seen.model_dump_json()
    return sha256(repr(facts).encode()).hexdigest()[:32]


def _computed(
    items: Items, stored: JoinedPart, seen: PhotoFeaturesInputs, cache: Path, of: int
) -> Floats:
    assert isinstance(stored.inputs, ImageInputs)
    columns = items.read()
    known = stored.known(columns)
    found = np.zeros((len(items), *seen.shape), np.float32)
    if known.any():
        network = frozen_network(stored.inputs, seen, cache)
        pictures = stored.of(columns)[IMAGE][known]
        found[known] = features.inference(network, of)(Items.of({IMAGE: pictures}))
    return found


def _kept(chunk: Path) -> Floats | None:
    """What is kept, which is thereby the last that is forgotten; None where there is nothing, or
    something that was not written whole."""
    try:
        os.utime(chunk)
        kept: Floats = np.load(chunk, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return kept


def _keep(computed: Floats, chunk: Path) -> None:
    partial = chunk.with_name(f"{chunk.stem}.{uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            np.save(file, computed)
        partial.replace(chunk)
    finally:
        partial.unlink(missing_ok=True)
    _forget_oldest(chunk.parent)


def _forget_oldest(folder: Path) -> None:
    """Deletes what was not used for longest, beyond MOST_BYTES."""
    held = sorted(_held(folder), reverse=True)
    total = 0
    for _, size, chunk in held:
        total += size
        if total > MOST_BYTES:
            chunk.unlink(missing_ok=True)


def _held(folder: Path) -> Iterator[tuple[float, int, Path]]:
    for chunk in folder.glob("*.npy"):
        try:
            stat = chunk.stat()
        except OSError:  # another process has deleted it
            continue
        yield stat.st_mtime, stat.st_size, chunk
