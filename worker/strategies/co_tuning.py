"""Co-Tuning: the source's head is trained on, towards what the source says of each target class.

You, Kou, Long & Wang, "Co-Tuning for transfer learning", NeurIPS 2020, equations 1 and 2.

R[y]  = mean over target training items of class y of softmax(S B0(x))      p(source class | y)
L     = mean_i CE(V B(x_i), y_i) + weight * mean_i -sum_k R[y_i]_k log softmax(S B(x_i))_k

B0: the source's backbone, S: its head, V: the target's new one; B, S and V are trained.
Departures: R is the mean of the source's probabilities (the paper's direct way), which are not
calibrated first; the backbone's rate is 0.3 of the heads' by default, as in fine_tune.
"""

import keras
import numpy as np
import tensorflow as tf

from app.spec.strategy_params import CoTuningParams
from worker.backbones.network import Network
from worker.strategies.recipe import (
    Batches,
    Features,
    Labels,
    Optimization,
    Phase,
    Setting,
    fine_tuned,
)


def phases(network: Network, params: CoTuningParams, setting: Setting) -> tuple[Phase, ...]:
    training, classes = setting.training, network.architecture.outputs
    source_head = network.new_head(setting.source_classes)
    relation = CategoryRelationship(classes, setting.source_classes)

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, labels, _ = batch["target"]
        features = network.features(x, training=True)
        logits = network.head(features, training=True)
        supervised = setting.objective.mean_loss(logits, labels, training.label_smoothing)
        said = tf.nn.log_softmax(source_head(features, training=True))
        expected = tf.gather(relation.table.value, labels)
        aligned = -tf.reduce_mean(tf.reduce_sum(expected * said, 1))
        return supervised + params.weight * aligned, logits

    return (
        Phase(
            "finetune",
            loss,
            fine_tuned(network, params, training, source_head),
            training.epochs,
            Optimization.of(training),
            companions=(source_head, relation),
            source_head=source_head,
            prepare=lambda outlook: relation.learn(source_head, *outlook()),
        ),
    )


class CategoryRelationship(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """R, (target classes, source classes): rows are probabilities."""

    def __init__(self, target_classes: int, source_classes: int) -> None:
        super().__init__(name="relation")
        self.table = self.add_weight(
            shape=(target_classes, source_classes),
            initializer="zeros",
            trainable=False,
            name="table",
        )

    def learn(self, source_head: keras.Model, features: Features, labels: Labels) -> None:
        probabilities = tf.nn.softmax(source_head(features)).numpy()
        of_class = np.eye(self.table.shape[0], dtype=np.float32)[labels]  # (n, target classes)
        self.table.assign(of_class.T @ probabilities / np.maximum(1, of_class.sum(0))[:, None])
