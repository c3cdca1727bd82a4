"""Multi-task: the target and the source are learnt together, with one backbone and a head each.

L_t = mean_i l(V B(x_i), y_i) over a batch of the target, l its task's loss, L_s the same
with the source's head, batch and task, which may be another: quantities are learnt as
(y - mean) / std of their own training rows, so that both losses begin near 1.
task_weighting.py says how the two become one. An epoch is one of the target; the source's batches
go round.
"""

import tensorflow as tf

from app.spec.strategy_params import MultiTaskParams
from worker.backbones.network import Network
from worker.strategies.gradient_surgery import project_conflicts
from worker.strategies.recipe import (
    Batches,
    Optimization,
    Phase,
    Setting,
    fine_tuned,
)
from worker.strategies.task_weighting import Famo, weighting_of

TASKS = 2


def phases(network: Network, params: MultiTaskParams, setting: Setting) -> tuple[Phase, ...]:
    training = setting.training
    source_head = network.new_head(setting.source_classes)
    weighting = weighting_of(params.weighting, TASKS)
    surgery = params.weighting == "pcgrad"
    of_source = training.label_smoothing if setting.source_objective.has_classes else 0.0

    def losses(batch: Batches) -> tuple[tf.Tensor, tf.Tensor]:
        (x_t, y_t, _), (x_s, y_s, _) = batch["target"], batch["source"]
        outputs = network.outputs(x_t, training=True)
        source_outputs = source_head(network.features(x_s, training=True), training=True)
        target = setting.objective.mean_loss(outputs, y_t, training.label_smoothing)
        source = setting.source_objective.mean_loss(source_outputs, y_s, of_source)
        return tf.stack([target, source]), outputs

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        of_tasks, outputs = losses(batch)
        return of_tasks if surgery else weighting.total(of_tasks), outputs

    return (
        Phase(
            "finetune",
            loss,
            fine_tuned(network, params, training, source_head, weighting),
            training.epochs,
            Optimization.of(training),
            streams=("target", "source"),
            companions=(source_head, weighting),
            source_head=source_head,
            combine=project_conflicts if surgery else None,
            after_step=(
                (lambda batch: weighting.learn(losses(batch)[0]))
                if isinstance(weighting, Famo)
                else None
            ),
        ),
    )
