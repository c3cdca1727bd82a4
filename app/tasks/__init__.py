"""Tasks: what is asked of an item. A new one is a file here, a line below, and its twins in the
worker."""

from app.tasks.classification import Classification

Task = Classification  # with a second member: Annotated[... | ..., Field(discriminator="kind")]
