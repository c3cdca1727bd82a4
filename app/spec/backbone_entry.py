"""Facts of a backbone that the house has to know, and how one of its kind is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.inputs.encoders import EncoderEntry
from app.spec.network_params import NetworkParams

if TYPE_CHECKING:
    from app.spec.backbones import Backbone


@dataclass(frozen=True)
class BackboneEntry:
    """Facts of a backbone: what GET /v1/catalog/backbones says, and what the house has to know."""

    choice: "type[Backbone]"
    summary: str
    modality: str | None  # that it is for; None: any with quantities, which it takes as one row
    has_batch_norm: bool  # without a bottleneck, which has one
    is_dense: bool  # of dense layers alone, but for Dropout
    program_bytes: int  # what its graphs take, and what is compiled of them
    widths: tuple[str, ...]  # parameters that make it wide
    bfloat16_pays: bool  # on a GPU that has it, against TF32, compiling included
    compiles_slowly: bool  # on a GPU, where each kind of convolution is tuned
    # What `training` is for it where a job does not say; the job's `selection` names each
    recipe: Mapping[str, Any] = field(default_factory=dict)
    encoder: EncoderEntry | None = None  # frozen, that it stands on where a job names none

    @property
    def name(self) -> str:
        return str(self.choice.model_fields["backbone"].annotation.__args__[0])  # type: ignore[union-attr]  # a Literal

    @property
    def params(self) -> type[NetworkParams]:
        params = self.choice.model_fields["params"].annotation
        assert isinstance(params, type)
        assert issubclass(params, NetworkParams)
        return params

    @property
    def params_schema(self) -> dict[str, Any]:
        return self.params.model_json_schema()


# After TabM's section 5 (docs/decisions/tabm.md), for transfer (docs/decisions/hospitals.md).
OF_TABLES = {
    "optimizer": "adamw",
    "learning_rate": 0.002,
    "weight_decay": 0.0003,
    "early_stopping": {"patience": 16, "min_items": 20},
    "hidden_columns": 0.6,
    "pretrain_min_steps": 100,
}

# A third of the parts goes missing in each step: docs/decisions/mixtures.md.
OF_PARTS = {
    "optimizer": "adamw",
    "learning_rate": 0.002,
    "weight_decay": 0.0003,
    "early_stopping": {"patience": 16, "min_items": 20},
    "hidden_parts": 0.3,
}

# A step of 64 photos of 224x224 holds 11 GB of activations (docs/decisions/pretrained-photos.md).
OF_PHOTOS = {"batch_size": 16}

# Chosen on held-out English reviews (docs/decisions/encoders.md).
OF_FEATURES = {
    "optimizer": "adamw",
    "weight_decay": 0.3,
    "early_stopping": {"patience": 5, "min_items": 20},
}

# As BERTs are fine-tuned (Devlin et al., NAACL 2019, section A.3: few epochs at 2e-5 to 5e-5, small
# batches; smaller ones want more), in as few steps as two cores can pay for.
OF_BERT = {
    "optimizer": "adamw",
    "learning_rate": 0.0001,
    "weight_decay": 0.01,
    "gradient_clip_norm": 1.0,
    "batch_size": 16,
    "epochs": 3,
    "min_steps": 100,
    "early_stopping": {"patience": 2, "min_items": 20},
}
