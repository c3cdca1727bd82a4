"""Networks for pictures, packaged."""

from pathlib import Path

import keras
import numpy as np

from app.inputs.image import IMAGE
from tests.schemas import signature
from worker.packaging import onnx_graph
from worker.packaging.onnx_graph import Packaged


def package(
    model: keras.Model, images: np.ndarray, folder: Path, temperature: float | None = None
) -> Packaged:
    """Of as many classes as the network has outputs."""
    classes = [f"class {number}" for number in range(model.output.shape[-1])]
    return onnx_graph.package(
        model, {IMAGE: images}, folder, signature(images.shape[1:], classes, temperature)
    )
