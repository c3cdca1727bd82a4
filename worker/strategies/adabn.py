"""AdaBN: the source's network with BatchNorm's statistics of the target; no weight is trained.

Li, Wang, Shi, Liu & Hou, "Revisiting batch normalization for practical domain adaptation", ICLR
Workshop 2017, arXiv:1603.04779, algorithm 1.

The statistics of a phase's items are measured at its end (worker/training/population_norms.py), so
a phase of the target without a step is all there is to it. Departure: of more than 2048 items, so
many are drawn. Where some target items have labels and others have none, all are looked at, and
no label is.
"""

from app.spec.strategy_params import AdaBnParams
from worker.backbones.network import Network
from worker.strategies.recipe import Phase, Setting, Stream
from worker.strategies.supervised import learn_items


def phases(network: Network, params: AdaBnParams, setting: Setting) -> tuple[Phase, ...]:
    loss = learn_items(network, setting)
    streams: tuple[Stream, ...] = ("target", "unlabelled") if setting.unlabelled else ("target",)
    return (Phase("adapt", loss, (), epochs=0, streams=streams, source_head=network.head),)
