"""The target that a job adapts to: a dataset, and which of its labels are seen."""

from typing import Annotated

from pydantic import Field

from app.sent import Sent

LabelBudget = Annotated[int, Field(ge=1, le=2**31 - 1)]  # a budget: per class, or in all


class Target(Sent):
    dataset: str = Field(description="`ds_…`, `catalog:NAME`, or a dataset's name")
    labels_per_class: LabelBudget | None = Field(
        None, description="train on so many labels per class, stratified; null: on all"
    )
    labels: LabelBudget | None = Field(
        None,
        description="the same for a task without classes: so many labels in all, drawn evenly from "
        "low to high; null: all",
    )
    use_labels: bool = Field(
        True,
        description="false: adapt to the target without its training labels, which are hidden "
        "from every arm but the bound `target_supervised`",
    )
    use_unlabelled: bool = Field(
        False,
        description="true: the target's other training items, those without a label and those "
        "beyond the label budget, take part without their labels in strategies that can use them "
        "(their `beside_labels` is not null); the others learn from the labelled items alone. It "
        "changes nothing where `use_labels` is false: then no item has a label, and all take part",
    )

    @property
    def budget(self) -> int | None:
        """The label budget, counted as the task counts it; None for all labels."""
        return self.labels_per_class or self.labels

    @property
    def takes_unlabelled(self) -> bool:
        """Tells whether items without labels stand beside labelled ones."""
        return self.use_labels and self.use_unlabelled
