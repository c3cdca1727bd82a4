"""A convnet over the characters of a text: what runs of two to five characters say.

Kim, "Convolutional neural networks for sentence classification", EMNLP 2014, arXiv:1408.5882,
section 2, over characters, as Zhang, Zhao & LeCun (NeurIPS 2015, arXiv:1509.01626) have them:
c_w = relu(W_w * x_i:i+w-1 + b_w) for each width w, then max over places. Embeddings are hashed
after Svenstrup, Hansen & Winther, "Hash embeddings for efficient word representations", NeurIPS
2017, arXiv:1709.03933: x = E_1[c mod p_1] + E_2[c mod p_2], p_1 and p_2 prime, so that no two code
points share both rows, and no vocabulary is needed for any script.

Departures: the mean over places stands beside the max; letters are folded to one case; no weights
per hash. Places beyond a text's end are 0, and so are what no text has; lengths of texts are free.
"""

import keras

from app.inputs.text import TEXT
from app.spec.text_params import PRIMES, CharconvParams
from worker.inputs.text_folding import FOLDED, TO_ASCII, WIDE, WIDE_END, lower_case


def build(params: CharconvParams) -> keras.Model:
    """Code points (batch, any length), int32, 0 after a text's end -> features (batch,
    params.dense), float32."""
    codes = keras.Input((None,), name=TEXT, dtype="int32")
    is_there = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(codes, 0), "float32"), 2)
    folded = _folded(codes)
    rows = [keras.ops.mod(folded, prime) for prime in PRIMES]
    tables = [
        keras.layers.Embedding(prime, params.embedding, name=f"characters_{number}")
        for number, prime in enumerate(PRIMES)
    ]
    x = keras.layers.Add(name="characters")(
        [table(row) for table, row in zip(tables, rows, strict=True)]
    )
    x = x * keras.ops.cast(is_there, x.dtype)
    pooled = [part for width in params.widths for part in _ngrams(x, is_there, width, params)]
    x = keras.layers.Concatenate(name="pooled")(pooled)
    if params.dropout:
        x = keras.layers.Dropout(params.dropout, name="dropout")(x)
    x = keras.layers.Dense(params.dense, activation="relu", name="dense")(x)
    return keras.Model({TEXT: codes}, x, name="charconv")


def _ngrams(
    x: keras.KerasTensor, is_there: keras.KerasTensor, width: int, params: CharconvParams
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Max and mean over the places of a text, (batch, filters) each."""
    convolution = keras.layers.Conv1D(
        params.filters, width, padding="same", activation="relu", name=f"ngrams_{width}"
    )
    found = convolution(x)
    found = found * keras.ops.cast(is_there, found.dtype)
    length = keras.ops.maximum(keras.ops.sum(is_there, axis=1), 1.0)
    mean = keras.ops.sum(found, axis=1) / keras.ops.cast(length, found.dtype)
    return keras.ops.max(found, axis=1), mean


def _folded(codes: keras.KerasTensor) -> keras.KerasTensor:
    """Folds as worker.inputs.text_folding.folded does."""
    is_wide = keras.ops.logical_and(codes >= WIDE, codes <= WIDE_END)
    codes = keras.ops.where(is_wide, codes - TO_ASCII, codes)
    lower = keras.ops.take(lower_case(), keras.ops.minimum(codes, FOLDED - 1), axis=0)
    return keras.ops.where(codes < FOLDED, lower, codes)
