"""Bodies of the native protocol -> what was asked."""

from collections.abc import Generator

from app.errors import UnsupportedMedia
from app.prediction import json_bodies, json_steps, npy_bodies
from app.prediction.inputs import Asked, Read

JSON, NPY = "application/json", "application/x-npy"
Shape = tuple[int, ...]


def decode(media_type: str, body: bytes, shape: Shape, classes: int) -> Asked:
    """For small bodies, at once. Raises BadRequest, UnsupportedMedia or Invalid."""
    if media_type == JSON:
        return Asked.of(json_bodies.read(body, shape), classes)
    if media_type == NPY:
        return Asked.of(npy_bodies.read(body, shape), classes)
    raise unsupported(media_type)


def read_in_steps(media_type: str, body: bytearray, shape: Shape) -> Generator[None, None, Read]:
    """For large bodies; `Asked.of` is left to the caller. Raises as `decode` does."""
    if media_type == JSON:
        return (yield from json_steps.read_in_steps(body, shape))
    if media_type == NPY:
        return npy_bodies.read(body, shape)
    raise unsupported(media_type)


def unsupported(media_type: str) -> UnsupportedMedia:
    got = media_type[:80] or "no Content-Type"
    return UnsupportedMedia("unsupported_media_type", f"expected {JSON} or {NPY}, got {got}")
