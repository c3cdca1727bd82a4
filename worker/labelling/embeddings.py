"""Changes that labelling an item would make in the last layer, were the network's guess its label.

Ash, Zhang, Krishnamurthy, Langford & Agarwal, "Deep batch active learning by diverse, uncertain
gradient lower bounds" (BADGE), ICLR 2020, equation 1: the gradient of the cross entropy in the last
layer's weights, at the label that the network itself gives.

g_i = (p_i - e_ŷ) ⊗ h_i              classes: p the probabilities, e_ŷ one-hot of the likeliest
g_i = (p_i - [p_i >= 1/2]) ⊗ h_i     several labels: of the binary cross entropies, label by label
g_i = h_i                            a quantity: at its own guess the squared error has no gradient,
                                     so that features alone say how unlike others an item is

h_i are the features. A long g_i is an uncertain item, and items whose g point the same way would
teach the same thing.
"""

from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from app.tasks import Task
from app.tasks.classification import Classification
from app.tasks.multi_label import THRESHOLD, MultiLabel
from app.tasks.regression import Regression

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Embeddings:
    """n vectors g_i = r_i ⊗ h_i, kept as their factors: `residuals` r (n, K), `features` h (n, d).
    <g_i, g_j> = <r_i, r_j> <h_i, h_j>, so that the (n, K d) products are never made."""

    residuals: Floats
    features: Floats

    def __len__(self) -> int:
        return len(self.features)

    @property
    def squares(self) -> Floats:
        """||g||², (n,)."""
        squares: Floats = (self.residuals**2).sum(axis=1) * (self.features**2).sum(axis=1)
        return squares

    def distances(self, squares: Floats, place: int) -> Floats:
        """||g_i - g_place||², (n,). `squares`: those of all."""
        of_residuals = self.residuals @ self.residuals[place]
        products = of_residuals * (self.features @ self.features[place])
        found: Floats = np.maximum(squares + squares[place] - 2 * products, 0.0)
        return found


def embeddings_of(task: Task, outputs: NDArray[np.floating], features: Floats) -> Embeddings:
    """Computes g of each item.

    Args:
        outputs: of the network before any activation, (n, K).
        features: (n, d).
    """
    return Embeddings(_residuals(task, outputs), features.astype(np.float64))


def _residuals(task: Task, outputs: NDArray[np.floating]) -> Floats:
    match task:
        case Classification():
            p: Floats = softmax(outputs.astype(np.float64), axis=1)
            p[np.arange(len(p)), p.argmax(axis=1)] -= 1
            return p
        case MultiLabel():
            p = expit(outputs.astype(np.float64))
            return p - (p >= THRESHOLD)
        case Regression():
            return np.ones((len(outputs), 1))
    assert_never(task)
