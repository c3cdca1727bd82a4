"""Seeds as one network: it learns what an arm's seeds answer on the mean.

Hinton, Vinyals & Dean, "Distilling the knowledge in a neural network", 2015, arXiv:1503.02531, at
the temperature 1; teachers and student see the same changed items, as in Beyer, Zhai, Royer,
Markeeva, Anil & Kolesnikov, "Knowledge distillation: a good teacher is patient and consistent",
CVPR 2022, arXiv:2106.05237, section 3.1.

L = mean_i d(mean_k a(t_ki), z_i)

a(t_ki): what teacher k answers to item i, z: the network's outputs, d: the objective's distance, of
classes KL. No label is looked at. The network starts as the seed that would be served alone. Of a
network of several members each learns the mean.

No user chooses it as a way to transfer: `deploy.ensemble` asks for it, once all seeds are trained.
"""

import tensorflow as tf

from app.spec.strategy_params import FineTuneParams
from worker.backbones.network import Network
from worker.strategies.recipe import Batches, Optimization, Phase, Setting, fine_tuned

NAME = "seeds_distill"


def phases(network: Network, params: None, setting: Setting) -> tuple[Phase, ...]:
    training, objective = setting.training, setting.objective
    teachers = tuple(Network(network.architecture) for _ in range(setting.teachers))

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, members = batch["target"].x, network.members
        wanted = objective.averaged(tf.stack([teacher.outputs(x) for teacher in teachers]))
        features = network.members_features(x, training=True)
        outputs = network.head(tf.reshape(features, (-1, network.feature_count)), training=True)
        apart = objective.apart(tf.repeat(wanted, members, 0), outputs, 1.0)
        whole = tf.reduce_mean(tf.reshape(outputs, (-1, members, outputs.shape[1])), 1)
        return tf.reduce_mean(apart), whole

    return (
        Phase(
            "finetune",
            loss,
            fine_tuned(network, FineTuneParams(), training),
            training.epochs,
            Optimization.of(training),
            companions=tuple(
                part for teacher in teachers for part in (teacher.backbone, teacher.head)
            ),
            teachers=teachers,
            source_head=network.head,
        ),
    )
