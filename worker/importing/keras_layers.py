"""A layer's entry in config.json -> one of the kinds that there are, with the options it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from app.spec.imported.kinds import Kind
from worker.importing.reading import Path
from worker.importing.refusing import refused

_KINDS: TypeAdapter[Kind] = TypeAdapter(Kind)
_MEMBERS = get_args(get_args(Kind)[0])
KINDS = {member.model_fields["kind"].annotation.__args__[0]: member for member in _MEMBERS}
# In inference they do nothing, and in training they change pictures, which a job's augmentation
# does: they are left out.
LEFT_OUT = frozenset(
    {
        "ActivityRegularization",
        "GaussianDropout",
        "GaussianNoise",
        "Identity",
        "RandomBrightness",
        "RandomContrast",
        "RandomFlip",
        "RandomRotation",
        "RandomTranslation",
        "RandomZoom",
    }
)
MODULES = frozenset({"keras", "keras.layers", "keras.models"})
MODELS = frozenset({"Functional", "Sequential", "Model"})
OF_MODELS = MODULES | {
    "keras.src.engine.functional",
    "keras.src.models.functional",
    "keras.src.models.model",
    "keras.src.models.sequential",
}
# How a layer was initialised, regularised and held matters to nobody who has its weights.
_PASSED = frozenset(
    {
        "activity_regularizer",
        "autocast",
        "batch_input_shape",
        "batch_shape",
        "build_config",
        "dtype",
        "input_shape",
        "momentum",
        "renorm_momentum",
        "name",
        "seed",
        "synchronized",
        "trainable",
    }
)
_PASSED_ENDS = ("_initializer", "_regularizer", "_constraint")
# Options that stand for what no structure has; what each has to be.
_FIXED: Mapping[str, tuple[Any, ...]] = {
    "data_format": ("channels_last", None),
    "invert": (False,),
    "lora_alpha": (None,),
    "lora_rank": (None,),
    "quantization_config": (None,),
    "renorm": (False, None),
    "renorm_clipping": (None,),
    "rms_scaling": (False, None),
    "supports_masking": (True, False, None),
    "virtual_batch_size": (None,),
}
LAST_AXIS = frozenset(
    {
        "BatchNormalization",
        "Concatenate",
        "GroupNormalization",
        "LayerNormalization",
        "Normalization",
        "Softmax",
    }
)


@dataclass(frozen=True)
class Entry:
    """Entry of a layer, or a model, in a list of layers."""

    class_name: str
    config: Mapping[str, Any]
    raw: Mapping[str, Any]
    path: Path

    @property
    def is_model(self) -> bool:
        return self.class_name in MODELS

    @property
    def name(self) -> str:
        return str(self.config["name"])


def entry_of(raw: Any, path: Path) -> Entry:
    """Checks whose class it is before anything else is looked at. Raises WorkFailure."""
    if not isinstance(raw, dict) or not isinstance(raw.get("config"), dict):
        raise refused("invalid_config", "expected a layer with a class and a config", *path)
    name, config, module = raw.get("class_name"), raw["config"], raw.get("module")
    if name == "Lambda":
        detail = "expected no Lambda, which is code: nothing that comes in a file is executed"
        raise refused("code_in_model", detail, *path, "class_name")
    if not (isinstance(name, str) and isinstance(module, str) and _is_known(name, module)):
        detail = (
            "expected layers of Keras' own, of these classes: "
            f"{', '.join(sorted((*KINDS, *LEFT_OUT)))}; got another class or one of another module"
        )
        raise refused("unknown_layer", detail, *path, "class_name")
    if raw.get("registered_name") not in (None, name):
        detail = "expected no registered_name, which stands for a class of somebody's own"
        raise refused("custom_object", detail, *path, "registered_name")
    if not isinstance(config.get("name"), str):
        raise refused("invalid_config", "expected a name, a text", *path, "config", "name")
    return Entry(name, config, raw, (*path, "config"))


def _is_known(name: str, module: str) -> bool:
    if name in MODELS:
        return module in OF_MODELS
    return module in MODULES and (name in KINDS or name in LEFT_OUT or name == "InputLayer")


def kind_of(entry: Entry, constants: Mapping[str, Any] | None = None) -> Kind:
    """The layer with its options. `constants`: those that do not stand in its config as they are
    here. Raises WorkFailure."""
    name, member = entry.class_name, KINDS[entry.class_name]
    options: dict[str, Any] = {"kind": name}
    for option, value in entry.config.items():
        is_axis = option == "axis" and name in LAST_AXIS
        if is_axis or option in _PASSED or option.endswith(_PASSED_ENDS):
            continue
        if option in member.model_fields and option != "kind":
            options[option] = value
        elif option not in _FIXED or value not in _FIXED[option]:
            known = ", ".join(sorted(set(member.model_fields) - {"kind"})) or "none"
            detail = f"expected options of {name} that are known here ({known}), got another"
            raise refused("unknown_option", detail, *entry.path, option)
    try:
        return _KINDS.validate_python({**options, **(constants or {})})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = [each for each in first["loc"] if each not in KINDS]
        what = f"expected options of {name} as Keras has them: {first['msg']}"
        raise refused("invalid_option", what, *entry.path, *place) from error


def check_axis(entry: Entry, rank: int) -> None:
    """Channels are last, in every layer that goes by an axis. `rank`: of what it takes, with the
    batch. Raises WorkFailure."""
    if entry.class_name not in LAST_AXIS:
        return
    axis = entry.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if isinstance(axis, bool) or axis not in (-1, rank - 1):
        detail = f"expected the last axis of {entry.class_name}, got another: channels are last"
        raise refused("channels_not_last", detail, *entry.path, "axis")
