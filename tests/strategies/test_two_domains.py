import numpy as np

from tests.strategies.losses import scene
from worker.strategies.two_domains import features_of_domains

CONVNET = ("convnet", {"filters": [4], "dense": 8})


def test_each_domain_is_normalised_by_itself_and_both_are_remembered_the_target_last() -> None:
    here = scene("dann", backbone=CONVNET, hidden=5)
    backbone = here.network.backbone
    norm = backbone.get_layer("norm_0")
    f_s, f_t = features_of_domains(here.network, here.batch)
    mean, variance, m = np.zeros(4), np.ones(4), norm.momentum
    for images in (here.x_source, here.x):
        rows = backbone.get_layer("convolution_0")(images["image"]).numpy().reshape(-1, 4)
        mean, variance = m * mean + (1 - m) * rows.mean(0), m * variance + (1 - m) * rows.var(0)
    np.testing.assert_allclose(norm.moving_mean.numpy(), mean, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(norm.moving_variance.numpy(), variance, rtol=1e-4)
    for images, f in ((here.x_source, f_s), (here.x, f_t)):
        alone = here.network.features(images, training=True)
        np.testing.assert_allclose(f, alone, rtol=1e-5, atol=1e-6)
