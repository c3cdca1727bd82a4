"""Configs that were made to do harm: each is refused by name, and nothing in it is executed."""

import base64
import marshal
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.importing.archives import tampered
from tests.importing.refusals import SECRET, refused


def layer(config: Any, place: int = 2) -> Any:
    """A layer of the config, 2 the Flatten, 3 the first Dense."""
    return config["config"]["layers"][place]


def with_layer(**members: Any) -> Callable[[Any], Any]:
    def change(config: Any) -> Any:
        layer(config).update(members)
        return config

    return change


def with_option(place: int = 3, **options: Any) -> Callable[[Any], Any]:
    def change(config: Any) -> Any:
        layer(config, place)["config"].update(options)
        return config

    return change


def _code() -> str:
    """What runs where a Lambda is deserialised without safe_mode."""
    here = f"open({str(Path(os.devnull))!r})"
    return base64.b64encode(marshal.dumps(compile(here, "f", "eval"))).decode()


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {
        "name": "f",
        "function": {"class_name": "__lambda__", "config": {"code": _code(), "defaults": None}},
    },
}


def as_lambda(config: Any) -> Any:
    config["config"]["layers"][2] = LAMBDA
    return config


def lambda_within_a_model(config: Any) -> Any:
    inner = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "s", "layers": [LAMBDA]},
    }
    config["config"]["layers"][2] = inner
    return config


def deep(config: Any) -> Any:
    inner = layer(config)
    for _ in range(8):
        inner = {
            "module": "keras",
            "class_name": "Sequential",
            "config": {"name": "s", "layers": [inner]},
        }
    config["config"]["layers"][2] = inner
    return config


def bottomless(config: Any) -> bytes:
    return b'{"a":' * 100_000 + b"1" + b"}" * 100_000


def _called(of: str, number: int) -> dict[str, Any]:
    history = {"keras_history": [of, number, 0]}
    return {"args": [{"class_name": "__keras_tensor__", "config": history}], "kwargs": {}}


def passing_without_end(config: Any) -> Any:
    """Models within models that each call the one below forty times, and nothing that computes."""
    start = {"module": "keras.layers", "class_name": "InputLayer", "config": {"name": "i"}}
    inner = {"module": "keras.layers", "class_name": "Identity", "config": {"name": "m"}}
    for _ in range(5):
        calls = [_called("i", 0), *(_called("m", number) for number in range(39))]
        members = {
            "name": "m",
            "layers": [start, {**inner, "inbound_nodes": calls}],
            "input_layers": ["i", 0, 0],
            "output_layers": ["m", 39, 0],
        }
        inner = {"module": "keras", "class_name": "Functional", "config": members}
    config["config"]["layers"][2] = inner
    return config


def slow(config: Any) -> Any:
    """Pooling whose windows are as large as a picture, at every place of it."""
    pooling = {"pool_size": [900, 900], "strides": [1, 1], "padding": "same", "name": "p"}
    layers = config["config"]["layers"]
    layers[0]["config"]["batch_shape"] = [None, 2000, 2000, 1]
    layers[2] = {"module": "keras.layers", "class_name": "AveragePooling2D", "config": pooling}
    gone = {"module": "keras.layers", "class_name": "GlobalMaxPooling2D", "config": {"name": "g"}}
    config["config"]["layers"] = [*layers[:3], gone, layers[-1]]
    return config


def many_layers(config: Any) -> Any:
    config["config"]["layers"] = [layer(config)] * 5000
    return config


def circle(config: Any) -> Any:
    """Two layers that wait for each other."""

    def call(name: str) -> list[Any]:
        history = {"keras_history": [name, 0, 0], "shape": [None, 3], "dtype": "float32"}
        tensor = {"class_name": "__keras_tensor__", "config": history}
        return [{"args": [tensor], "kwargs": {}}]

    def entry(name: str, of: str) -> dict[str, Any]:
        members = {"name": name, "units": 3}
        return {
            "module": "keras.layers",
            "class_name": "Dense",
            "config": members,
            "name": name,
            "inbound_nodes": call(of),
        }

    started = {"name": "i", "batch_shape": [None, 6, 5]}
    first = {"module": "keras.layers", "class_name": "InputLayer", "config": started}
    return {
        "module": "keras",
        "class_name": "Functional",
        "config": {
            "name": "f",
            "layers": [
                {**first, "name": "i", "inbound_nodes": []},
                entry("a", "b"),
                entry("b", "a"),
            ],
            "input_layers": [["i", 0, 0]],
            "output_layers": [["a", 0, 0]],
        },
    }


AT = "#/file/config.json/config/layers"

CONFIGS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "a Lambda": (as_lambda, "code_in_model", f"{AT}/2/class_name"),
    "a Lambda within": (
        lambda_within_a_model,
        "code_in_model",
        f"{AT}/2/config/layers/0/class_name",
    ),
    "a function of the system": (
        with_layer(module="os", class_name="system"),
        "unknown_layer",
        f"{AT}/2/class_name",
    ),
    "a known class of another module": (
        with_layer(module=SECRET, class_name="Dense"),
        "unknown_layer",
        f"{AT}/2/class_name",
    ),
    "a class of their own": (
        with_layer(registered_name=f"{SECRET}>Flatten"),
        "custom_object",
        f"{AT}/2/registered_name",
    ),
    "a class of their own, by name": (
        with_layer(class_name=SECRET, registered_name=SECRET),
        "unknown_layer",
        f"{AT}/2/class_name",
    ),
    "a layer that reads files": (
        with_layer(class_name="StringLookup", config={"name": "s", "vocabulary": "/etc/passwd"}),
        "unknown_layer",
        f"{AT}/2/class_name",
    ),
    "a class that is no text": (
        with_layer(class_name=["Dense"]),
        "unknown_layer",
        f"{AT}/2/class_name",
    ),
    "a layer that is a text": (
        lambda config: {**config, "config": {"name": "s", "layers": [SECRET]}},
        "invalid_config",
        f"{AT}/0",
    ),
    "an activation that is an object": (
        with_option(activation={"module": "os", "class_name": "function", "config": "system"}),
        "invalid_option",
        f"{AT}/3/config/activation",
    ),
    "an activation of another name": (
        with_option(activation=SECRET),
        "invalid_option",
        f"{AT}/3/config/activation",
    ),
    "an option of another name": (
        with_option(**{SECRET[:6]: 1}),
        "unknown_option",
        f"{AT}/3/config/{SECRET[:6]}",
    ),
    "units without end": (with_option(units=10**12), "invalid_option", f"{AT}/3/config/units"),
    "units that are a text": (with_option(units="7"), "invalid_option", f"{AT}/3/config/units"),
    "a negative rate": (with_option(4, rate=-1), "invalid_option", f"{AT}/4/config/rate"),
    "channels first": (
        with_option(2, data_format="channels_first"),
        "unknown_option",
        f"{AT}/2/config/data_format",
    ),
    "models within models": (deep, "too_deep", ""),
    "objects without a bottom": (bottomless, "invalid_json", "#/file/config.json"),
    "no JSON": (lambda config: b"\xff{", "invalid_json", "#/file/config.json"),
    "half a character": (
        lambda config: b'{"a": "\\ud800"}',
        "invalid_json",
        "#/file/config.json",
    ),
    "a list": (lambda config: [config], "invalid_config", "#/file/config.json"),
    "nothing without end": (passing_without_end, "too_many_layers", ""),
    "work without end": (slow, "layers_do_not_fit", ""),
    "layers without end": (many_layers, "invalid_config", f"{AT}"),
    "layers in a circle": (circle, "invalid_config", ""),
    "a subclassed model": (
        lambda config: {**config, "module": SECRET, "class_name": "Functional"},
        "unknown_layer",
        "#/file/config.json/class_name",
    ),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_hostile_config(case: str, plane_file: Path, tmp_path: Path) -> None:
    change, code, pointer = CONFIGS[case]
    failure = refused(tampered(plane_file, tmp_path / "n.keras", change))
    assert failure.reason == code
    assert not pointer or failure.pointer == pointer


def test_more_parameters_than_a_network_may_have(plane_file: Path, tmp_path: Path) -> None:
    """Counted before anything is built."""

    def wide(config: Any) -> Any:
        return with_option(units=2**20)(with_option(5, units=2**20)(config))

    failure = refused(tampered(plane_file, tmp_path / "n.keras", wide), classes=None, head="none")
    assert failure.reason == "layers_do_not_fit"
