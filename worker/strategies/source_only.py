"""The baseline without target labels: the source's network as it is, not trained on."""

from worker.backbones.network import Network
from worker.strategies.recipe import Phase, Setting
from worker.strategies.supervised import learn_items


def phases(network: Network, params: None, setting: Setting) -> tuple[Phase, ...]:
    loss = learn_items(network, setting)
    return (Phase("adapt", loss, (), epochs=0, source_head=network.head, norms=None),)
