"""A fitted reference as one ONNX graph, from raw items to the task's answers."""

from typing import Any, assert_never

import numpy as np
import onnx
import tensorflow as tf
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.pipeline import Pipeline

from app.inputs import Inputs
from app.inputs.dense import DenseInputs
from app.inputs.joined import JoinedInputs
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from app.tasks.multi_label import MultiLabel
from app.tasks.regression import Regression
from worker.packaging.conversion import convert
from worker.references.features import ColumnLayout, layout_of
from worker.references.filling import Filling
from worker.references.per_label import PerLabel
from worker.references.reference import FittedReference
from worker.references.trees import (
    LEAST_PROBABILITY,
    ML_DOMAIN,
    ML_OPSET,
    NEVER,
    ensemble_of,
    logit_of,
)

INPUTS, ROWS, SCORES = "inputs", "rows", "scores"


def graph_of(fitted: FittedReference) -> onnx.ModelProto:
    """Takes `inputs` (n, *shape) float32, and answers what the task calls its answers, as
    `FittedReference.outputs` does."""
    (tensor,) = fitted.schema.inputs.tensors
    signature = [tf.TensorSpec((None, *tensor.shape), tf.float32, name=INPUTS)]
    task, model = fitted.schema.task, fitted.model

    def answers(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {task.answers: _activated(_linear(fitted, _rows(fitted, inputs)), task)}

    models = model.models if isinstance(model, PerLabel) else (model,)
    if all(isinstance(each, Pipeline | DummyClassifier | DummyRegressor) for each in models):
        return convert(answers, signature)
    graph = convert(lambda inputs: {ROWS: _rows(fitted, inputs)}, signature)
    _add_trees(graph, fitted)
    return graph


def _add_trees(graph: onnx.ModelProto, fitted: FittedReference) -> None:
    task, mean, std = fitted.schema.task, 0.0, 1.0
    if isinstance(task, Regression):
        mean, std = task.mean, task.std
    trees = ensemble_of(fitted.model, mean, std, task.outputs)
    constants = {"base": trees.base.astype(np.float32)}
    nodes = [
        trees.node(ROWS, "leaves"),
        onnx.helper.make_node("Add", ["leaves", "base"], [SCORES]),
    ]
    if isinstance(task, Regression):
        constants |= {"std": np.array(std, np.float32), "mean": np.array(mean, np.float32)}
        nodes += [
            onnx.helper.make_node("Mul", [SCORES, "std"], ["scaled"]),
            onnx.helper.make_node("Add", ["scaled", "mean"], [task.answers]),
        ]
    elif fitted.is_boosted and isinstance(task, MultiLabel):
        nodes.append(onnx.helper.make_node("Sigmoid", [SCORES], [task.answers]))
    elif fitted.is_boosted:
        nodes.append(onnx.helper.make_node("Softmax", [SCORES], [task.answers], axis=-1))
    else:
        nodes.append(onnx.helper.make_node("Identity", [SCORES], [task.answers]))
    body = graph.graph
    body.node.extend(nodes)
    body.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    del body.output[:]
    shape = ["n", task.outputs]
    body.output.append(
        onnx.helper.make_tensor_value_info(task.answers, onnx.TensorProto.FLOAT, shape)
    )
    if ML_DOMAIN not in {each.domain for each in graph.opset_import}:
        graph.opset_import.append(onnx.helper.make_opsetid(ML_DOMAIN, ML_OPSET))
    onnx.checker.check_model(graph)


def _rows(fitted: FittedReference, inputs: tf.Tensor) -> tf.Tensor:
    rows = _features(fitted.schema.inputs, inputs)
    if fitted.tells_domains:
        rows = tf.concat([rows, tf.ones_like(rows[:, :1])], 1)
    return _filled(fitted.filling, rows)


def _features(inputs: Inputs, raw: tf.Tensor) -> tf.Tensor:
    """Makes what worker.references.features.rows_of does."""
    match inputs:
        case TableInputs():
            return tf.concat([_column(raw, each) for each in layout_of(inputs.columns)], 1)
        case DenseInputs():
            return tf.reshape(raw, (-1, inputs.values))
        case TextInputs():
            raise ValueError("expected items that are numbers: a reference of texts has no graph")
        case JoinedInputs():
            raise ValueError(
                "expected numbers of one kind: items of several parts have no reference"
            )
        case _:
            assert_never(inputs)


def _column(raw: tf.Tensor, layout: ColumnLayout) -> tf.Tensor:
    values = raw[:, layout.place : layout.place + 1]
    if not layout.is_hot:
        return values
    places = tf.where(tf.math.is_nan(values), float(layout.width - 1), values)
    return tf.cast(tf.equal(places, tf.range(float(layout.width))), tf.float32)


def _filled(filling: Filling, rows: tf.Tensor) -> tf.Tensor:
    rows = tf.gather(rows, filling.taken.astype(np.int32), axis=1)
    if filling.medians is None:
        return rows
    is_missing = tf.math.is_nan(rows)
    bits = tf.cast(tf.gather(is_missing, filling.doubted.astype(np.int32), axis=1), tf.float32)
    return tf.concat([tf.where(is_missing, filling.medians, rows), bits], 1)


def _linear(fitted: FittedReference, rows: tf.Tensor) -> tf.Tensor:
    """Scores (n, outputs): logits, or standardised quantities."""
    model, task = fitted.model, fitted.schema.task
    if isinstance(task, Regression):
        if isinstance(model, DummyRegressor):
            value = (float(np.ravel(model.constant_)[0]) - task.mean) / task.std
            return tf.fill([tf.shape(rows)[0], 1], tf.constant(value, tf.float32))
        weights, bias = _standardised(model, model[-1].coef_, model[-1].intercept_)
        return (rows @ (weights / task.std)) + ((bias - task.mean) / task.std)
    if isinstance(model, PerLabel):
        columns = [_of_label(each, rows.shape[1]) for each in model.models]
        biases = np.array([bias for _, bias in columns], np.float32)
        return rows @ np.stack([weights for weights, _ in columns], 1) + biases
    whole = np.full(task.outputs, NEVER)
    if isinstance(model, DummyClassifier):
        whole[model.classes_] = np.log(np.maximum(model.class_prior_, LEAST_PROBABILITY))
        return tf.zeros([tf.shape(rows)[0], 1]) + tf.constant(whole, tf.float32)
    coefficients, intercept = model[-1].coef_, model[-1].intercept_
    if len(model.classes_) == 2:  # of two the first has the logit 0
        coefficients = np.concatenate([0 * coefficients, coefficients])
        intercept = np.concatenate([[0.0], intercept])
    weights, bias = _standardised(model, coefficients, intercept)
    full = np.zeros((len(weights), task.outputs), np.float32)
    full[:, model.classes_] = weights
    whole[model.classes_] = bias
    return rows @ full + tf.constant(whole, tf.float32)


def _of_label(model: Any, features: int) -> tuple[Any, float]:
    """Weights (features,), float32, and the bias of one label's logit."""
    if isinstance(model, DummyClassifier):
        return np.zeros(features, np.float32), logit_of(model)
    weights, bias = _standardised(model, model[-1].coef_, model[-1].intercept_)
    return weights[:, 0], float(bias[0])


def _standardised(model: Any, coefficients: Any, intercept: Any) -> tuple[Any, Any]:
    """Weights (features, outputs) and biases (outputs,), float32, of rows as they come."""
    scaler = model[0]
    weights = np.atleast_2d(coefficients) / scaler.scale_
    bias = np.atleast_1d(intercept) - weights @ scaler.mean_
    return weights.T.astype(np.float32), bias.astype(np.float32)


def _activated(scores: tf.Tensor, task: Any) -> tf.Tensor:
    if isinstance(task, Regression):
        return task.mean + task.std * scores
    if isinstance(task, MultiLabel):
        return tf.sigmoid(scores)
    return tf.nn.softmax(scores)
