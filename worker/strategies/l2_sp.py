"""L2-SP: fine-tuning that is pulled back to where it started from.

Li, Grandvalet & Davoine, "Explicit inductive bias for transfer learning with convolutional
networks", ICML 2018, arXiv:1802.01483, equation 3.

L = mean_i l(V B(x_i), y_i) + alpha/2 |w - w0|^2 + beta/2 |v|^2

w: the backbone's weights, w0: the source's; v: the new head's; l: the task's loss.
There is no other weight decay.
"""

import keras
import tensorflow as tf

from app.spec.strategy_params import L2SpParams
from worker.backbones.network import Network
from worker.strategies.anchor import Anchor
from worker.strategies.recipe import Batches, Group, Optimization, Phase, Setting, trainable
from worker.strategies.supervised import learn_items


def phases(network: Network, params: L2SpParams, setting: Setting) -> tuple[Phase, ...]:
    training = setting.training
    backbone, head = trainable(network.backbone), trainable(network.head)
    source, supervised = Anchor(backbone), learn_items(network, setting)

    def loss(batch: Batches, progress: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        of_items, outputs = supervised(batch, progress)
        strayed = params.alpha / 2 * source.squared_distance(backbone)
        size = params.beta / 2 * squared_norm(head)
        return of_items + strayed + size, outputs

    how = Optimization.of(training.model_copy(update={"weight_decay": 0.0}))
    return (
        Phase(
            "finetune",
            loss,
            (Group((*backbone, *head), training.learning_rate),),
            training.epochs,
            how,
            companions=(source,),
            prepare=lambda _: source.settle(backbone),
        ),
    )


def squared_norm(variables: tuple[keras.Variable, ...]) -> tf.Tensor:
    return tf.add_n([tf.reduce_sum(tf.square(variable.value)) for variable in variables])
