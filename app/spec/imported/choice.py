"""The choice of an imported network, as a job's `model` has it."""

from typing import Literal

from app.spec.imported.params import ImportedParams
from app.spec.model_choice import ModelChoice


class Imported(ModelChoice):
    backbone: Literal["imported"]
    params: ImportedParams
