"""The contract of objectives, what a network is trained for: the TensorFlow half of a task."""

from typing import Protocol

import tensorflow as tf


class Objective(Protocol):
    """Outputs are (batch, K), float32, before any activation, labels (batch, *label_shape). Equal
    objectives are equal and hash alike: a compiled loop is kept by its objective."""

    def loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        """Loss of each item, (batch,), float32; `smoothing` as in `mean_loss`."""

    def mean_loss(self, outputs: tf.Tensor, y: tf.Tensor, smoothing: float = 0.0) -> tf.Tensor:
        """The mean of `loss`, a scalar; `smoothing` is of classes (app.spec.training)."""

    def apart(self, teacher: tf.Tensor, outputs: tf.Tensor, temperature: float) -> tf.Tensor:
        """Returns how far outputs are from a teacher's, of each item, (batch,), float32;
        `temperature` divides the logits of both, and its square weighs what is left."""

    def activate(self, outputs: tf.Tensor, temperature: float | None = None) -> tf.Tensor:
        """Returns what a packaged network answers, (batch, K): probabilities, or quantities in the
        user's unit. `temperature` divides logits."""

    def averaged(self, outputs: tf.Tensor) -> tf.Tensor:
        """Returns outputs of an ensemble, (batch, K), of its members' (members, batch, K), as
        worker.evaluation.measures has them: their answers are the mean of the members'."""

    def statistic(self, outputs: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """Returns what an epoch's running sums need of each item, (batch, k), of the type and width
        that `statistic_spec` says."""

    @property
    def has_classes(self) -> bool:
        """Tells whether each label is one class of several, which smoothing mixes."""

    @property
    def statistic_spec(self) -> tuple[tf.DType, int]: ...

    @property
    def label_type(self) -> tf.DType: ...

    @property
    def label_shape(self) -> tuple[int, ...]:
        """Shape of the label of one item: () or (K,)."""
