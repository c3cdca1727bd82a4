"""Distillation: the target's labels, and the source model's opinion of every target item.

Hinton, Vinyals & Dean, "Distilling the knowledge in a neural network", 2015, arXiv:1503.02531,
section 2; weighted as keras.distillation.Distiller does.

L = a mean_i CE(z_i, y_i) + (1 - a) T^2 mean_i KL(softmax(t_i / T) | softmax(z_i / T))

z: the network's logits, t: the teacher's, which is the source's network and stays as it is. Both
have the same classes. The network starts from the teacher's backbone with a new head.
"""

import tensorflow as tf

from app.spec.strategy_params import DistillParams
from worker.backbones.network import Network
from worker.strategies.recipe import (
    Batches,
    Optimization,
    Phase,
    Setting,
    fine_tuned,
)


def phases(network: Network, params: DistillParams, setting: Setting) -> tuple[Phase, ...]:
    training, teacher = setting.training, Network(network.architecture)
    teacher_variables = teacher.backbone.variables

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, labels, _ = batch["target"]
        logits = network.outputs(x, training=True)
        supervised = setting.objective.mean_loss(logits, labels, training.label_smoothing)
        softened = distance(teacher.outputs(x), logits, params.temperature)
        return params.alpha * supervised + (1 - params.alpha) * softened, logits

    def copy_backbone(_: object) -> None:
        for mine, source in zip(teacher_variables, network.backbone.variables, strict=True):
            mine.assign(source.numpy())

    return (
        Phase(
            "finetune",
            loss,
            fine_tuned(network, params, training),
            training.epochs,
            Optimization.of(training),
            companions=(teacher.backbone, teacher.head),
            source_head=teacher.head,
            prepare=copy_backbone,
        ),
    )


def distance(teacher: tf.Tensor, student: tf.Tensor, temperature: float) -> tf.Tensor:
    """T^2 mean KL of the softened probabilities; both are logits, (batch, classes)."""
    t = tf.nn.log_softmax(teacher / temperature)
    s = tf.nn.log_softmax(student / temperature)
    return temperature**2 * tf.reduce_mean(tf.reduce_sum(tf.exp(t) * (t - s), 1))
