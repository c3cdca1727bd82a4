"""`python -m worker.machine.gpu_probe`: whether TensorFlow can compute on the GPU it sees.

Its last line is JSON: `error` says what failed, null where nothing did.
"""

import json
import os

MISSING = (
    "TensorFlow sees no GPU although the driver is there: install the extra `gpu` (pip install "
    "'ktl[worker,gpu]') and a driver of at least version 525"
)


def error() -> str | None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        return MISSING
    try:
        with tf.device("/GPU:0"):
            product = float(tf.reduce_sum(tf.linalg.matmul(tf.ones((64, 64)), tf.ones((64, 64)))))
    except Exception as failure:  # whatever CUDA fails with
        return f"{type(failure).__name__}: {str(failure)[:200]}"
    return None if product == 64.0**3 else f"64 x 64 ones multiplied gave {product:g}"


if __name__ == "__main__":
    print(json.dumps({"error": error()}))  # noqa: T201  the parent reads it
