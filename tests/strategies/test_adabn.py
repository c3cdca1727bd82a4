from pathlib import Path

import numpy as np

from tests.training.trials import DOMAIN, SOURCE, Recorder, images_of, spec, trial
from worker.backbones.network import Network
from worker.training.run import train

CONVNET = ("convnet", {"filters": [4, 3], "dense": 8})
STATISTICS = {f"norm_{index}/moving_{name}" for index in range(2) for name in ("mean", "variance")}


def values(network: Network) -> dict[str, np.ndarray]:
    return {variable.path: variable.numpy() for variable in network.variables}


def test_a_trial_moves_the_statistics_alone_to_the_target(tmp_path: Path) -> None:
    job = spec(*CONVNET, strategies=("adabn",))
    path = tmp_path / "source.npz"
    source = train(trial("pretrain", job, target=SOURCE), Recorder())
    source.save_weights(path)
    before = values(source)
    network = train(trial("adabn", job, target=DOMAIN, source_weights=path), Recorder())
    after = values(network)
    assert {name for name in after if not np.array_equal(after[name], before[name])} == STATISTICS
    x = np.float32(images_of(DOMAIN.train)) / 255
    rows = network.backbone.get_layer("convolution_0")(x).numpy().reshape(-1, 4)
    norm = network.norms[0]
    np.testing.assert_allclose(norm.moving_mean.numpy(), rows.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance.numpy(), rows.var(0), rtol=1e-4)
