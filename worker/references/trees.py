"""Fitted trees of scikit-learn as one ONNX node, `ai.onnx.ml.TreeEnsembleRegressor`.

skl2onnx 1.20 does not write boosted trees with onnx 1.23, and sums the leaves of a forest in the
label's own unit, in float32; docs/decisions/references.md. Boosted trees keep theirs in
attributes without a public name.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from worker.references.per_label import PerLabel

LEAST_PROBABILITY = 1e-7
ML_DOMAIN, ML_OPSET = "ai.onnx.ml", 3
NEVER = -1e4  # a logit whose probability is 0


class Tree(NamedTuple):
    """Columns of its nodes: row x goes to `left` where x[feature] <= threshold, or where that is
    missing and `missing_left` says so. `leaves` (nodes, targets): what a leaf adds to each target.
    """

    left: NDArray[Any]
    right: NDArray[Any]
    feature: NDArray[Any]
    threshold: NDArray[Any]
    missing_left: NDArray[Any]
    is_leaf: NDArray[np.bool_]
    leaves: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trees whose leaves add up, and `base` (targets,), which is to be added to them."""

    trees: list[Tree]
    base: NDArray[np.float64]

    def node(self, rows: str, scores: str) -> onnx.NodeProto:
        """Trees from rows (n, features) to the sums of leaves (n, targets), float32. The base is
        not in it: ONNX Runtime leaves that out of targets without any leaf."""
        columns = [_attributes(number, tree) for number, tree in enumerate(self.trees)]
        joined = {name: np.concatenate([each[name] for each in columns]) for name in columns[0]}
        modes = joined.pop("nodes_modes")
        return onnx.helper.make_node(
            "TreeEnsembleRegressor",
            [rows],
            [scores],
            domain=ML_DOMAIN,
            n_targets=len(self.base),
            nodes_modes=modes.tolist(),
            **{name: values.tolist() for name, values in joined.items()},
        )


def ensemble_of(model: Any, mean: float, std: float, outputs: int) -> Ensemble:
    """Scores of a forest are probabilities, or standardised quantities; those of boosted trees are
    logits, or standardised quantities. A class without training items has 0, or -1e4."""
    if isinstance(model, PerLabel):
        return _per_label(model)
    if isinstance(model, RandomForestClassifier | RandomForestRegressor):
        return _forest(model, mean, std, outputs)
    return _boosted(model, mean, std, outputs)


def _per_label(model: PerLabel) -> Ensemble:
    """Scores of a label are those of having it: its logit, or its probability where the models are
    forests."""
    trees, base = [], np.zeros(len(model.models))
    is_forest = any(isinstance(each, RandomForestClassifier) for each in model.models)
    for place, each in enumerate(model.models):
        if isinstance(each, DummyClassifier):
            base[place] = float(1 in each.classes_) if is_forest else logit_of(each)
            continue
        found = ensemble_of(each, 0.0, 1.0, 2)
        base[place] = found.base[1]
        for tree in found.trees:
            leaves = np.zeros((len(tree.leaves), len(model.models)))
            leaves[:, place] = tree.leaves[:, 1]
            trees.append(tree._replace(leaves=leaves))
    return Ensemble(trees, base)


def logit_of(model: DummyClassifier) -> float:
    """Logit of having a label, by a model that has seen nothing but labels."""
    likely = dict(zip(model.classes_, model.class_prior_, strict=True)).get(1, 0.0)
    held = min(max(likely, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY)
    return float(np.log(held / (1 - held)))


def _forest(model: Any, mean: float, std: float, outputs: int) -> Ensemble:
    trees = []
    for fitted in model.estimators_:
        tree, leaves = fitted.tree_, np.zeros((fitted.tree_.node_count, outputs))
        if isinstance(model, RandomForestRegressor):
            leaves[:, 0] = (tree.value[:, 0, 0] - mean) / std
        else:
            leaves[:, model.classes_] = tree.value[:, 0]
        trees.append(
            Tree(
                tree.children_left,
                tree.children_right,
                tree.feature,
                tree.threshold,
                np.zeros(tree.node_count, np.int64),
                tree.children_left < 0,
                leaves / len(model.estimators_),
            )
        )
    return Ensemble(trees, np.zeros(outputs))


def _boosted(model: Any, mean: float, std: float, outputs: int) -> Ensemble:
    base = np.asarray(model._baseline_prediction, np.float64).ravel()
    has_classes = hasattr(model, "classes_")
    if has_classes:
        classes = model.classes_
        targets = classes[1:] if len(classes) == 2 else classes  # of two the first has the logit 0
        whole = np.full(outputs, NEVER)
        whole[classes] = 0
        whole[targets] = base
    else:
        targets, whole = np.array([0]), (base - mean) / std
    trees = []
    for step in model._predictors:
        for target, predictor in zip(targets, step, strict=True):
            nodes = predictor.nodes
            leaves = np.zeros((len(nodes), outputs))
            leaves[:, target] = nodes["value"] / (1 if has_classes else std)
            trees.append(
                Tree(
                    nodes["left"],
                    nodes["right"],
                    nodes["feature_idx"],
                    nodes["num_threshold"],
                    nodes["missing_go_to_left"],
                    nodes["is_leaf"].astype(bool),
                    leaves,
                )
            )
    return Ensemble(trees, whole)


def _attributes(number: int, tree: Tree) -> dict[str, NDArray[Any]]:
    places = np.arange(len(tree.is_leaf))
    leaf, target = np.nonzero((tree.leaves != 0) & tree.is_leaf[:, None])

    def inner(values: NDArray[Any]) -> NDArray[Any]:
        return np.where(tree.is_leaf, 0, values).astype(np.int64)

    return {
        "nodes_treeids": np.full(len(places), number),
        "nodes_nodeids": places,
        "nodes_modes": np.where(tree.is_leaf, b"LEAF", b"BRANCH_LEQ"),
        "nodes_featureids": inner(tree.feature),
        "nodes_values": _at_most(np.where(tree.is_leaf, 0.0, tree.threshold)),
        "nodes_truenodeids": inner(tree.left),
        "nodes_falsenodeids": inner(tree.right),
        "nodes_missing_value_tracks_true": inner(tree.missing_left),
        "target_treeids": np.full(len(leaf), number),
        "target_nodeids": leaf,
        "target_ids": target,
        "target_weights": tree.leaves[leaf, target].astype(np.float32),
    }


def _at_most(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The greatest float32 numbers that are no greater: every float32 compares with one as with
    the threshold itself."""
    with np.errstate(over="ignore"):
        rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
