"""A job's sources as it sees them: a dataset, or a trained network without its data, of this
service or from elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.datasets.schemas import Schema
from app.inputs.contract import Sketch
from app.inputs.joined import JoinedInputs
from app.inputs.table import TableInputs
from app.inputs.text import TextInputs
from app.spec.backbones import Backbone
from app.spec.scales import PixelScale

# proxy_a_distance and mmd of their items; None where one is not stored yet, or is a model
Distance = Callable[[], dict[str, float | None] | None]
Sample = Callable[[], Sketch | None]


@dataclass(frozen=True)
class SourceFacts:
    """Facts of what a source carries: items, or a network and its head for classes of its own."""

    schema: Schema  # of a network: without items
    network: Backbone | None = None  # of one that comes without its data
    # Whether the network is for items of any size and for any task: its classes are none of the
    # user's, and only its features are of use
    is_general: bool = False
    distance: Distance = lambda: None  # to the target
    sample: Sample = lambda: None  # of a dataset's training items
    scale: PixelScale | None = None  # of a dataset's values

    @property
    def has_data(self) -> bool:
        return self.network is None

    @property
    def member(self) -> str:
        """Name of the member of a job's source that says which it is."""
        return "dataset" if self.has_data else "backbone" if self.is_general else "model"

    def is_of(self, target: Schema) -> bool:
        """Tells whether what it says, if it says anything of a task, is of the target's."""
        is_silent = self.is_general or not self.has_head
        return is_silent or self.schema.task.kind == target.task.kind

    @property
    def tells_classes(self) -> bool:
        """Tells whether it has a head that says one class of several of an item."""
        return self.has_head and self.schema.task.has_classes

    @property
    def has_head(self) -> bool:
        """Tells whether it says anything of classes: an imported network may give features
        alone."""
        return self.network is None or self.schema.task.outputs > 0


def first_network(sources: Sequence[SourceFacts]) -> Backbone | None:
    """Network of the first source that is one."""
    return next((facts.network for facts in sources if facts.network), None)


def joint_classes(sources: Sequence[Schema]) -> tuple[str, ...]:
    """The classes of all, each once, in the order in which they appear."""
    return tuple(dict.fromkeys(label for schema in sources for label in schema.classes))


def joint_obstacle(sources: Sequence[SourceFacts]) -> str | None:
    """Says why one network cannot be trained on all of them; None where it can."""
    if not all(facts.has_data for facts in sources):
        return "a model comes without its data"
    if other := next((f.schema.task.kind for f in sources if not f.schema.task.has_classes), None):
        return f"labels of a {other} are not joined with those of another dataset"
    inputs = {facts.schema.inputs for facts in sources}
    brought_together = (TableInputs, TextInputs, JoinedInputs)
    if len(inputs) > 1 and not all(isinstance(each, brought_together) for each in inputs):
        return "their images differ in size or in type"
    return None
