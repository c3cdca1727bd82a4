"""The baseline without target labels: the source's network as it is, not trained on."""

from worker.backbones.network import Network
from worker.strategies.cross_entropy import classify_images
from worker.strategies.recipe import Phase, Setting


def phases(network: Network, params: None, setting: Setting) -> tuple[Phase, ...]:
    loss = classify_images(network, setting.training)
    return (Phase("adapt", loss, (), epochs=0, source_head=network.head, norms=None),)
