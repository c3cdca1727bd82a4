"""Features by which an audit compares items: what a network would see of them, in 50 numbers or
fewer.

Nothing is trained, so no network can have learnt the wrong labels by heart.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from app.inputs import Inputs
from app.inputs.image import ImageInputs
from app.inputs.text import TextInputs
from worker.audit.text_features import text_features
from worker.inputs import layers_of
from worker.inputs.contract import InputLayers
from worker.training.items import Items

Features = NDArray[np.float32]  # (n, d)

COMPONENTS = 50
LONGEST_SIDE = 32  # of a picture: larger ones are shrunk
FITTED_ITEMS = 5000  # of more, so many are drawn to find the components
BLOCK_ITEMS = 1024
SEED = 0


def audit_features(inputs: Inputs, items: Items) -> Features:
    """Pictures as pixels, rows as piecewise parts and one-hot categories, texts as runs of
    characters, by their 50 principal components where they are more numbers than that; (n, d),
    n > 0."""
    if isinstance(inputs, TextInputs):
        return text_features(items)
    layers = layers_of(inputs, _size(inputs))
    drawn = np.random.default_rng(SEED).permutation(len(items))[:FITTED_ITEMS]
    sample = np.concatenate([_seen(layers, block) for block in _blocks(items.select(drawn))])
    components = min(COMPONENTS, *sample.shape)
    if components == sample.shape[1]:
        return np.concatenate([_seen(layers, block) for block in _blocks(items)])
    found = PCA(components, random_state=SEED).fit(sample)
    blocks = [found.transform(_seen(layers, block)) for block in _blocks(items)]
    return np.concatenate(blocks).astype(np.float32)


def components_of(features: Features) -> Features:
    """Brings what a network makes of items, (n, d), to length 1 each, and to 50 principal
    components where they are more numbers than that."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.maximum(lengths, np.finfo(np.float32).tiny)
    components = min(COMPONENTS, *unit.shape)
    if components == unit.shape[1]:
        return np.asarray(unit, np.float32)
    drawn = np.random.default_rng(SEED).permutation(len(unit))[:FITTED_ITEMS]
    found = PCA(components, random_state=SEED).fit(unit[drawn])
    return np.asarray(found.transform(unit), np.float32)


def _size(inputs: Inputs) -> tuple[int, int] | None:
    if not isinstance(inputs, ImageInputs):
        return None
    height, width, _ = inputs.shape
    return min(height, LONGEST_SIDE), min(width, LONGEST_SIDE)


def _blocks(items: Items) -> list[Items]:
    return list(items.blocks(BLOCK_ITEMS))


def _seen(layers: InputLayers, items: Items) -> Features:
    """Features of one block, (block, d)."""
    seen = layers.seen(layers.arrays(items.read()))
    flat = [np.asarray(tensor).reshape(len(items), -1) for tensor in seen.values()]
    return np.concatenate(flat, axis=1)
