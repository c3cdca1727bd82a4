"""Files of pictures in the native protocol: `image/…`, or `file` parts of multipart/form-data."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from app.inputs.image import ImageInputs
from app.prediction import picture_bodies
from app.prediction.inputs import Place
from app.prediction.protocols.contract import AnswerEncoder, BodyKind, Read, Steps
from app.prediction.served import Loaded

IMAGE = "image/"
STARTS = (IMAGE.encode(), picture_bodies.FORM.encode())


def is_of_pictures(content_type: bytes) -> bool:
    is_like = content_type[:1] in b"imIM"  # which `application/…` is not, at no cost
    return is_like and content_type[: len(STARTS[1])].lower().startswith(STARTS)


class PictureDecoder(NamedTuple):
    """`encoder`: of the options beside the files, and of the model."""

    inputs: ImageInputs
    content_type: bytes
    encoder: Callable[[Mapping[str, Any], Loaded], AnswerEncoder]
    body: BodyKind = "files"

    def read(self, body: bytes | bytearray, loaded: Loaded) -> Read:
        files, options = picture_bodies.read(body, self.content_type)
        parts = picture_bodies.prepared(files, self.inputs)
        encoder = self.encoder(options, loaded)
        return Read(parts, encoder, Place(picture_bodies.AT), is_prepared=True)

    def read_in_steps(self, body: bytearray, loaded: Loaded) -> Steps[Read]:
        yield
        return self.read(body, loaded)
