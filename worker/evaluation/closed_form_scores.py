"""Transferability in closed form, from a source's outputs or features: LEEP, LogME, H-score.

y: target labels, (n,), any integers; of at least 2 classes. More is better.
"""

import numpy as np
from scipy.linalg import eigh, solve

from worker.evaluation.arrays import Floats, Ints

TOLERANCE, ROUNDS = 1e-6, 100
EXTREME = 1e10  # the prior over the noise, either way, for features of unit length
JITTER = 1e-10  # over the mean variance of a feature


def leep(probabilities: Floats, y: Ints) -> float:
    """1/n Σ_i log Σ_z P(y_i | z) θ(x_i)_z, where P(y, z) = 1/n Σ_{i: y_i = y} θ(x_i)_z.

    Args:
        probabilities: θ, of the source's classes z, (n, Z), n > 0.

    Returns:
        Nats, at most 0.

    Reference: Nguyen et al., "LEEP: A New Measure to Evaluate Transferability of Learned
    Representations", ICML 2020, arXiv:2002.12462.
    """
    theta = probabilities.astype(np.float64)
    one_hot = _one_hot(y)
    joint = one_hot.T @ theta  # (K, Z), n times P(y, z)
    of_source = joint.sum(axis=0)
    conditional = np.divide(joint, of_source, out=np.zeros_like(joint), where=of_source > 0)
    likelihood = ((theta @ conditional.T) * one_hot).sum(axis=1)
    return float(np.log(likelihood).mean())


def log_me(features: Floats, y: Ints) -> float:
    """The mean over classes k of max_{α, β} 1/n log p(t_k | F, α, β), where t_k is 1 for items of
    the class and 0 for others, t_k = F w + noise, w ~ N(0, 1/α), noise ~ N(0, 1/β).

    With F = U Σ Vᵀ, u = Uᵀ t and τ = α/β the evidence is largest in β where
    β = n/Q, Q = |t|² - |u|² + Σ_j u_j² τ/(τ + σ_j²), and there
    2 log p = n log(n / (2 π e Q)) + Σ_j log(τ/(τ + σ_j²)).
    τ is found by the fixed-point iteration α = γ/|m|², β = (n - γ)/|F m - t|², where m is the
    posterior mean of w and γ = Σ_j σ_j²/(τ + σ_j²). Departure: τ stays within 1e±10 of the mean σ²,
    so that features which explain all, or nothing, have a score as well.

    Args:
        features: F, (n, d), not all 0.

    References: You et al., "LogME: Practical Assessment of Pre-trained Models for Transfer
    Learning", ICML 2021, arXiv:2102.11005; "Ranking and Tuning Pre-trained Models", JMLR 23, 2022
    (the fixed point).
    """
    one_hot = _one_hot(y)
    squares, projected = _spectrum(features.astype(np.float64), one_hot)
    return float(
        np.mean([_evidence(squares, u, t) for u, t in zip(projected.T, one_hot.T, strict=True)])
    )


def _spectrum(features: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """σ², (r,), over their mean, and Uᵀ targets, (r, K), from the smaller of FᵀF and F Fᵀ."""
    n, d = features.shape
    squares, vectors = eigh(features.T @ features if d <= n else features @ features.T)
    kept = squares > squares[-1] * len(squares) * np.finfo(np.float64).eps
    squares, vectors = squares[kept], vectors[:, kept]
    if d <= n:
        projected = vectors.T @ (features.T @ targets) / np.sqrt(squares)[:, None]
    else:
        projected = vectors.T @ targets
    return squares / squares.mean(), projected


def _evidence(squares: Floats, u: Floats, target: Floats) -> float:
    n, explained = len(target), u**2
    unexplained = max(float(target @ target - explained.sum()), 0.0)
    ratio = 1.0  # τ
    for _ in range(ROUNDS):
        share = ratio / (ratio + squares)
        gamma = (1 - share).sum()
        rest = n - len(squares) + share.sum()  # n - γ without cancellation
        length = (explained * squares / (ratio + squares) ** 2).sum()
        error = unexplained + (explained * share**2).sum()
        before = ratio
        ratio = float(np.clip(gamma * error / max(rest * length, 1e-300), 1 / EXTREME, EXTREME))
        if abs(ratio - before) <= TOLERANCE * before:
            break
    share = ratio / (ratio + squares)
    q = unexplained + (explained * share).sum()
    return float(np.log(n / (2 * np.pi * np.e * q)) / 2 + np.log(share).sum() / (2 * n))


def h_score(features: Floats, y: Ints) -> float:
    """tr(S⁻¹ (1 - λ) B): S = (1 - λ) C + λ tr(C)/d I is the features' covariance, shrunk by Ledoit
    and Wolf's λ, and B the covariance of the class means, a class weighing as its items.

    Args:
        features: (n, d), not all the same.

    Returns:
        0 to at most the number of classes minus 1.

    References: Bao et al., "An Information-Theoretic Approach to Transferability in Task Transfer
    Learning", ICIP 2019; Ibrahim et al., "Newer is not always better: Rethinking transferability
    metrics, their peculiarities, stability and performance", ECML PKDD 2022, arXiv:2110.06893.
    """
    x = features.astype(np.float64)
    x -= x.mean(axis=0)
    n, d = x.shape
    one_hot = _one_hot(y)
    counts = one_hot.sum(axis=0)
    means = one_hot.T @ x / counts[:, None]  # (K, d)
    covariance = x.T @ x / n
    shrinkage = _ledoit_wolf(x, covariance)
    ridge = shrinkage * np.trace(covariance) / d
    covariance *= 1 - shrinkage
    covariance[np.diag_indices(d)] += ridge + JITTER * np.trace(covariance) / d  # λ may be 0
    along = (means * solve(covariance, means.T, assume_a="pos").T).sum(axis=1)
    return float((1 - shrinkage) * (counts @ along) / n)


def _ledoit_wolf(x: Floats, covariance: Floats) -> float:
    """λ = min(1, (1/n Σ_i |x_i|⁴ - |C|²) / (n |C - μ I|²)) of centred x, with μ = tr(C)/d.

    Reference: Ledoit & Wolf, Journal of Multivariate Analysis 88, 2004, lemma 3.3.
    """
    n, d = x.shape
    size = (covariance**2).sum()
    away = size - np.trace(covariance) ** 2 / d
    noise = (((x**2).sum(axis=1) ** 2).mean() - size) / n
    return float(np.clip(noise / away, 0, 1)) if away > 0 else 0.0


def _one_hot(y: Ints) -> Floats:
    """(n, K), of the K classes that occur."""
    classes, places = np.unique(y, return_inverse=True)
    return np.eye(len(classes))[places]
