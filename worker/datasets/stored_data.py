"""Stored datasets as arrays."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import Schema
from app.datasets.stored import array_path
from app.inputs import Inputs
from app.inputs.features import FEATURES
from app.inputs.image import IMAGE, ImageInputs
from app.inputs.joined import JoinedInputs
from app.inputs.joined_part import JoinedPart, PartInputs
from app.inputs.joint_columns import Adoption
from app.inputs.joint_parts import JoinedAdoption, rewritten
from app.inputs.photo_features import PhotoFeaturesInputs
from app.inputs.table import ROW, TableInputs
from app.inputs.text import TEXT, Lengthened, TextInputs
from app.spec.spec import Adopting
from app.storage import Storage
from app.tables.datasets import DatasetRow
from worker.datasets.encoded import Encoded
from worker.datasets.groups import groups_of
from worker.datasets.photo_features import photo_features
from worker.datasets.room import room
from worker.training.data import Split
from worker.training.items import Items

BLOCK_ROWS = 65_536
Photos = Callable[[Items, JoinedPart, PhotoFeaturesInputs], NDArray[np.float32]]


def dataset_split(
    storage: Storage,
    dataset: DatasetRow,
    split: str,
    adoption: Adopting | Encoded | None = None,
    look: Callable[[], None] = lambda: None,
) -> Split:
    """`train` or `test`: items memory-mapped, labels in memory, with the items' groups.

    `adoption`: how rows of its table, its texts or its pictures become the network's. `look`:
    called every few seconds where that takes long; what it raises ends it. Raises KeyError where
    texts are features that are not computed, WorkFailure `weights_unavailable`.
    """
    schema = Schema.model_validate(dataset.schema)
    names = schema.inputs.arrays(split)
    columns = {
        tensor: np.load(array_path(storage, dataset, name), mmap_mode="r")
        for tensor, name in names.items()
    }
    labels = np.load(array_path(storage, dataset, f"y_{split}"))
    key = " ".join(dataset.arrays[name] for name in names.values())
    groups = groups_of(storage, dataset, schema, split)
    if isinstance(adoption, Encoded):
        return Split.stored(adoption.items(storage, key, len(labels)), labels, groups)
    photos = partial(photo_features, cache=storage.cache, look=look)
    items = _adopted(Items.of(columns, key), schema.inputs, adoption, photos)
    return Split.stored(items, labels, groups)


def _adopted(items: Items, own: Inputs, adoption: Adopting | None, photos: Photos) -> Items:
    """Items as the job's network has them; those that are so already stay where they are. Many are
    written to a file without a name, which ends with them."""
    match own, adoption:
        case TableInputs(), Adoption() if not adoption.is_plain(own):
            rows = _room(items, adoption)
            for block in _blocks(items):
                adoption.rows(own, items.read(block.start, block.stop)[ROW], rows[block])
        case TextInputs(), Lengthened() if not adoption.is_plain(own):
            rows = _room(items, adoption)
            for block in _blocks(items):
                adoption.rows(items.read(block.start, block.stop)[TEXT], rows[block])
        case JoinedInputs(), JoinedAdoption():
            return _joined(items, own, adoption, photos)
        case ((ImageInputs() | TableInputs() | TextInputs()), JoinedAdoption(part=str() as name)):
            beside = _beside_nothing(items, own, adoption, name)
            return _joined(beside, adoption.alone(own), adoption, photos)
        case _:
            return items
    return Items.of({own.tensor: rows}, f"{items.key} {adoption.key}")


def _beside_nothing(items: Items, own: PartInputs, adoption: JoinedAdoption, name: str) -> Items:
    """Items of one part as items that lack all others. What is missing takes no memory."""
    columns: dict[str, NDArray[Any]] = {}
    count, stored = len(items), items.read()
    for part in adoption.alone(own).parts:
        is_own = part.name == name
        for tensor, nothing in part.nothing(1).items():
            values = (
                stored[tensor] if is_own else np.broadcast_to(nothing, (count, *nothing.shape[1:]))
            )
            columns[f"{part.name}.{tensor}"] = values
        if part.has_flag:
            columns[part.flag] = np.full(count, is_own, np.uint8)
    return Items.of(columns, items.key)


def _joined(items: Items, own: JoinedInputs, adoption: JoinedAdoption, photos: Photos) -> Items:
    """Writes those parts anew that the network has otherwise."""
    columns = items.read()
    for mine, seen in adoption.pictured(own):
        del columns[f"{mine.name}.{IMAGE}"]
        columns[f"{mine.name}.{FEATURES}"] = photos(items, mine, seen)
    for mine, joint, change in adoption.changed(own):
        (tensor,) = joint.inputs.tensors
        rows = room((len(items), *tensor.shape), tensor.dtype)
        for block in _blocks(items):
            rewritten(change, items.read(block.start, block.stop), mine, rows[block])
        columns[f"{joint.name}.{tensor.name}"] = rows
    return Items.of(columns, f"{items.key} {adoption.key}")


def _blocks(items: Items) -> list[slice]:
    return [slice(start, start + BLOCK_ROWS) for start in range(0, len(items), BLOCK_ROWS)]


def _room(items: Items, adoption: Adoption | Lengthened) -> NDArray[Any]:
    (tensor,) = adoption.joint.tensors
    return room((len(items), *tensor.shape), tensor.dtype)
