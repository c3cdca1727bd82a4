"""Weights that a table's network starts with for numbers that none of its training rows shows."""

import numpy as np
from numpy.typing import NDArray

from app.inputs.table import TableInputs
from worker.backbones.input_rows import silenced
from worker.backbones.network import Network
from worker.training.items import Items

LOOKED_AT, BLOCK_ROWS = 65_536, 4096


def silence(network: Network, items: Items) -> None:
    """Sets to 0 what the first kernels have for numbers that no row of a table shows, as those of
    a column that the table does not have: nothing would ever be learnt of them, and rows of another
    table, which show them, would meet noise. Of more than 65,536 rows so many are looked at.

    Other items, and backbones that mix columns before their first kernels, stay as they are.
    """
    axes = network.input_axes
    if not axes or not isinstance(network.architecture.inputs, TableInputs):
        return
    seen: dict[str, NDArray[np.bool_]] = {}
    for block in items.head(LOOKED_AT).blocks(BLOCK_ROWS):
        for name, tensor in network.inputs.seen(network.inputs.arrays(block.read())).items():
            shown = (tensor.numpy() != 0).any(axis=0)
            seen[name] = shown | seen.get(name, False)
    for variable in network.backbone.variables:
        axis = axes.get(variable.path)
        if axis and axis.starts_silent:
            variable.assign(silenced(variable.numpy(), axis, seen))
