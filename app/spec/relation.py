"""Doubts that a source's classes have anything to do with the target's."""

from pydantic import BaseModel, ConfigDict, Field

SIGNIFICANT = 0.05
SURELY = 2  # standard deviations
NEXT_TO_NOTHING = 0.02  # of the entropy; networks of one epoch on true labels told 0.06 and more


class Relation(BaseModel):
    """Information of a source's classes about the target's, in nats: LEEP over the entropy of the
    target's labels. Of n items it is more than 0 even where there is nothing to tell."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    told: float
    by_chance: float = Field(description="mean of the same with the target's labels permuted")
    spread: float = Field(description="standard deviation of that over the permutations")
    p_value: float = Field(description="share of the permutations that are told as much")
    entropy: float = Field(description="of the target's labels: all that could be told")

    @property
    def is_chance(self) -> bool:
        """Tells whether what is told beyond chance is not significant, or next to nothing."""
        return self.p_value > SIGNIFICANT or self._beyond < self._nothing

    @property
    def is_nothing(self) -> bool:
        """Tells whether what is told beyond chance is surely next to nothing: of few items nobody
        can say."""
        return max(self._beyond, 0.0) + SURELY * self.spread < self._nothing

    @property
    def _beyond(self) -> float:
        return self.told - self.by_chance

    @property
    def _nothing(self) -> float:
        return NEXT_TO_NOTHING * self.entropy
