"""Distillation across modalities: on pairs of parts, one part learns what a teacher says of all.

Gupta, Hoffman & Malik, "Cross modal distillation for supervision transfer", CVPR 2016,
arXiv:1507.00448, with the softened outputs of Hinton et al., 2015, arXiv:1503.02531.

L = mean_i l(V B(x_i), y_i) + w mean_j p_j d(T(u_j), S B(v_j)) / mean_j p_j

x: the target's items, which are one part; u: the source's items, all their parts (`fused`) or those
that the target lacks (`others`); v: the same items with the target's part alone; p_j: 1 where both
are there. T: the source's network, which stays as it is; d: T² KL of softened classes, or a squared
difference. Departures: outputs are matched in place of features of one layer, since both are one
network's; S, which starts as the source's head, is the target's own V where the classes are the
same, else it is trained beside.
"""

import tensorflow as tf

from app.spec.strategy_params import ModalityDistillParams
from worker.backbones.network import Network
from worker.strategies.recipe import (
    Batches,
    Optimization,
    Phase,
    Setting,
    fine_tuned,
)
from worker.strategies.supervised import mean_where


def phases(network: Network, params: ModalityDistillParams, setting: Setting) -> tuple[Phase, ...]:
    training, objective = setting.training, setting.source_objective
    teacher = Network(network.architecture)
    teacher_head = network.new_head(setting.source_classes)
    is_one = setting.shares_classes and objective.has_classes
    student = network.head if is_one else network.new_head(setting.source_classes)
    beside = () if is_one else (student,)

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        (x_t, y_t, _), x_s = batch["target"], batch["source"].x
        pairs = network.inputs.apart(x_s, setting.parts)
        said = teacher_head(teacher.features(x_s if params.teacher == "fused" else pairs.others))
        outputs = network.outputs(x_t, training=True)
        answers = student(network.features(pairs.own, training=True), training=True)
        supervised = setting.objective.mean_loss(outputs, y_t, training.label_smoothing)
        of_pairs = objective.apart(said, answers, params.temperature)
        return supervised + params.weight * mean_where(of_pairs, pairs.paired), outputs

    def copy(_: object) -> None:
        for model, source in ((teacher.backbone, network.backbone), (teacher_head, student)):
            for mine, theirs in zip(model.variables, source.variables, strict=True):
                mine.assign(theirs.numpy())

    return (
        Phase(
            "finetune",
            loss,
            fine_tuned(network, params, training, *beside),
            training.epochs,
            Optimization.of(training),
            streams=("target", "source"),
            companions=(teacher.backbone, teacher_head, *beside),
            source_head=student,
            prepare=copy,
            hides_parts=False,
            fills_source=True,
        ),
    )
