"""A job's encoder, from what the job calls it to what is known of it."""

from sqlalchemy.orm import Session

from app.inputs.encoders import ENCODERS
from app.models import encoders
from app.spec.spec import Choice, JobSpec
from app.spec.text_choices import SentenceEncoder


def with_encoder(session: Session, project: str, spec: JobSpec) -> tuple[JobSpec, list[Choice]]:
    """The job with the facts of an encoder that a model of the project is; nobody's word for them
    is taken. Raises Invalid and Conflict, as app.models.encoders.named does."""
    if not isinstance(spec.model, SentenceEncoder):
        return spec, []
    called = spec.model.params.encoder
    found = None if called in ENCODERS else encoders.named(session, project, called)
    params = spec.model.params.model_copy(update={"stored": found})
    spec = spec.model_copy(update={"model": spec.model.model_copy(update={"params": params})})
    if found is None:
        return spec, []
    reason = f"the encoder {found.name}, whose files have the hash {found.sha256[:12]}"
    return spec, [Choice(field="model.params.encoder", chosen=found.model, reason=reason)]
