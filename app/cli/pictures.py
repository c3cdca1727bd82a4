"""Small images as text: each braille letter shows 2 x 4 pixels."""

import numpy as np

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # rows of a letter's dots


def braille(image: np.ndarray, threshold: float) -> str:
    """image, (height, width) -> ceil(height / 4) lines of ceil(width / 2) letters; a dot stands
    where a pixel is above the threshold."""
    height, width = image.shape
    dots = np.pad(image > threshold, ((0, -height % 4), (0, -width % 2)))
    cells = dots.reshape(-(-height // 4), 4, -(-width // 2), 2)
    codes = np.einsum("abcd,bd->ac", cells, np.array(_DOTS))
    return "\n".join("".join(chr(0x2800 + code) for code in row) for row in codes)


def fitted(image: np.ndarray, side: int) -> np.ndarray:
    """The nearest pixels of (height, width), at most `side` on the longer side, at least half."""
    height, width = image.shape
    scale = side / max(height, width)
    rows = (np.arange(round(height * scale)) / scale).astype(int)
    columns = (np.arange(round(width * scale)) / scale).astype(int)
    nearest: np.ndarray = image[np.ix_(rows, columns)]
    return nearest
