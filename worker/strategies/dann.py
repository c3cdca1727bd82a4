"""DANN: a discriminator tells the domains apart, and the features learn to leave it guessing.

Ganin et al., "Domain-adversarial training of neural networks", JMLR 2016, arXiv:1505.07818,
equation 18.

L = mean_i CE(H B(x_i), y_i) over the source + trade_off L_D(B(x_s), B(x_t))

B: the backbone, H: the head, L_D: discriminator.py. All is trained; L_D reaches B reversed.

Beside labelled target items: mean_j CE(H B(x_j), y_j) over these is added, and the target's part of
L is of all its items, with labels and without.
Departures: the bottleneck is the job's to choose (model.bottleneck); training starts from the
network that was trained on the source, head included, and trade_off is 0.5: at the paper's 1 the
adversary can undo what that network knows (MNIST to USPS, two seeds: 80 and 88 % with 1).
"""

import tensorflow as tf

from app.spec.strategy_params import DannParams
from worker.backbones.network import Network
from worker.strategies.adapting import two_domain_phase
from worker.strategies.discriminator import adversarial, discriminator_of
from worker.strategies.recipe import Batches, Phase, Setting
from worker.strategies.two_domains import features_of_domains, supervised


def phases(network: Network, params: DannParams, setting: Setting) -> tuple[Phase, ...]:
    discriminator = discriminator_of(network.feature_count, params.hidden)

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        f_s, f_t = features_of_domains(network, batch)
        known, logits = supervised(network, f_s, f_t, batch, setting)
        return known + params.trade_off * adversarial(discriminator, f_s, f_t, progress), logits

    return (two_domain_phase(network, params, setting, loss, discriminator),)
