"""Features of a frozen backbone, computed once: by ONNX Runtime where that is faster, and kept for
the other trials of the process that start from the same weights.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache, partial

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from numpy.typing import NDArray

from worker.backbones.nested import layers_within
from worker.backbones.network import Network
from worker.machine.device import configure_tensorflow, this_device
from worker.packaging.conversion import convert, fix
from worker.strategies.recipe import FEATURES
from worker.training import predict
from worker.training.items import Items

BLOCK_ROWS = 4096  # between two looks at the journal
KEPT_BYTES = 512 * 2**20
# Converting a deep network takes some two seconds, once a process; then ONNX Runtime takes less
# than half of TensorFlow's time a row. A shallow network gains nothing.
ONNX_FROM_CONVOLUTIONS, ONNX_FROM_ROWS = 10, 2000
ONNX_BATCH = 64

Features = NDArray[np.float32]
_kept: OrderedDict[tuple[str, ...], Features] = OrderedDict()


def features_of(network: Network, items: Items, look: Callable[[], None]) -> Features:
    """Computes features (n, feature_count) of raw items in inference.

    The same stored rows give the same bits, kept or not: where more than half of what is stored is
    asked for, all is computed, in its order.

    Args:
        look: called between blocks; what it raises ends the computation.
    """
    if items.key is None:
        return _compute(network, items, look)
    weights, content = _fingerprint(network), items.key
    if 2 * len(items) <= items.stored:
        rows = hashlib.sha256(items.rows.tobytes()).hexdigest()
        return _remember((weights, content, rows), lambda: _compute(network, items, look))
    whole = _remember((weights, content), lambda: _compute(network, items.whole, look))
    return whole[items.rows]


def frozen_outputs(network: Network, items: Items) -> NDArray[np.float32]:
    """Outputs (n, outputs) of raw items, of a backbone whose features are worth keeping."""
    features = features_of(network, items, lambda: None)
    return predict.head_outputs(network, Items.of({FEATURES: features}))


def _remember(key: tuple[str, ...], compute: Callable[[], Features]) -> Features:
    found = _kept.pop(key, None)
    features = compute() if found is None else found
    if features.nbytes > KEPT_BYTES:
        return features
    _kept[key] = features  # the youngest stands last
    while sum(kept.nbytes for kept in _kept.values()) > KEPT_BYTES:
        _kept.popitem(last=False)
    return features


def forget() -> None:
    """Drops all that is kept, as a fresh process would be."""
    _kept.clear()
    _session.cache_clear()
    _graph.cache_clear()


def _compute(network: Network, items: Items, look: Callable[[], None]) -> Features:
    infer = inference(network, len(items))
    blocks = []
    for number, block in enumerate(items.blocks(BLOCK_ROWS)):
        if number:
            look()
        blocks.append(infer(block))
    return np.concatenate(blocks)


def inference(network: Network, count: int) -> Callable[[Items], Features]:
    """Returns the quicker way to features (n, feature_count) of raw items, where there will be
    `count` of them in all."""
    worth_it = count >= ONNX_FROM_ROWS and not this_device().is_gpu and _is_deep(network)
    by_onnx = worth_it and network.architecture.precision == "float32"
    return _onnx_inference(network) if by_onnx else partial(predict.features, network)


def _is_deep(network: Network) -> bool:
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return len(layers_within(network.backbone, *kinds)) >= ONNX_FROM_CONVOLUTIONS


def _onnx_inference(network: Network) -> Callable[[Items], Features]:
    session = _session(network, _fingerprint(network))
    rows = min(ONNX_BATCH, network.inference_rows)  # large pictures: fewer at once

    def infer(items: Items) -> Features:
        batches = [
            session.run(None, network.inputs.arrays(items.read(start, start + rows)))[0]
            for start in range(0, len(items), rows)
        ]
        return np.concatenate(batches)

    return infer


@lru_cache(2)
def _session(network: Network, weights: str) -> onnxruntime.InferenceSession:
    """`weights`: their fingerprint; the session's graph holds them as constants."""
    graph = onnx.ModelProto()
    graph.CopyFrom(_graph(network))
    fix(graph, {_name(number): each for number, each in enumerate(_variables(network))})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = configure_tensorflow()
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


@lru_cache(2)
def _graph(network: Network) -> onnx.ModelProto:
    """The backbone with its weights as inputs, so that it is converted once for all of them."""
    backbone, trainable = network.backbone, len(network.backbone.trainable_variables)

    raw = network.inputs.raw

    def features(*given: tf.Tensor) -> tf.Tensor:
        weights = given[len(raw) :]
        seen = network.inputs.seen(dict(zip(raw, given, strict=False)))
        outputs, _ = backbone.stateless_call(
            weights[:trainable], weights[trainable:], seen, training=False
        )
        return outputs

    signature = [
        *(tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in raw.items()),
        *(
            tf.TensorSpec(variable.shape, tf.float32, name=_name(number))
            for number, variable in enumerate(_variables(network))
        ),
    ]
    return convert(features, signature)


def _variables(network: Network) -> list[keras.Variable]:
    backbone = network.backbone
    return [*backbone.trainable_variables, *backbone.non_trainable_variables]


def _name(number: int) -> str:
    return f"weight_{number}"


def _fingerprint(network: Network) -> str:
    digest = hashlib.sha256(repr(network.architecture).encode())
    for variable in network.backbone.variables:
        digest.update(variable.numpy().tobytes())
    return digest.hexdigest()
