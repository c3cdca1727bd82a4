"""Files that were made to do harm: each is refused by name, and nothing in it is executed."""

import base64
import json
import marshal
import os
import random
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from app.errors import FailureCode, WorkFailure
from app.models.importing import ImportSpec
from tests.importing.archives import CONFIG, METADATA, WEIGHTS, nested, saved, spec, tampered
from worker.importing.keras_config import declared_input, read_config
from worker.importing.keras_file import read_keras

MOST_BYTES = 2**22
SECRET = "a-name-that-must-not-come-back"


def refused(path: Path, **members: Any) -> WorkFailure:
    """The refusal, in which nothing of the file is echoed."""
    with pytest.raises(WorkFailure) as caught:
        read_keras(path, ImportSpec.model_validate(spec(**members)), path.parent, MOST_BYTES)
    failure = caught.value
    assert failure.code is FailureCode.MODEL_INVALID
    assert failure.stage == "import"
    assert str(failure.pointer).startswith(("#/file", "#/spec"))
    assert SECRET not in json.dumps(failure.as_json())
    return failure


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


JUNK = (None, True, -1, 0, 1, 7, 1e308, "", SECRET, [], {}, [[]], [None, 3], {"config": {}}, ["a"])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of every object and list."""
    for key, each in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(each, dict | list):
            yield from _places(each)


def _reading(config: Any) -> WorkFailure | None:
    try:
        declared_input(config)
        read_config(config, (12, 12, 3))
    except WorkFailure as failure:
        return failure
    return None


def test_a_config_of_which_any_part_is_junk(tmp_path: Path) -> None:
    """Nothing but a refusal by name comes of it, whatever stands wherever."""
    file = saved(nested(), tmp_path / "nested.keras")
    with zipfile.ZipFile(file) as archive:
        written = archive.read(CONFIG)
    places = len(list(_places(json.loads(written))))
    rng = random.Random(0)
    reasons = set()
    for place in range(places):
        config = json.loads(written)
        holder, key = next(islice(_places(config), place, None))
        holder[key] = rng.choice(JUNK)
        if (failure := _reading(config)) is not None:
            assert failure.code is FailureCode.MODEL_INVALID
            assert SECRET not in json.dumps(failure.as_json())
            reasons.add(failure.reason)
    assert {"unknown_layer", "invalid_config", "invalid_option", "unknown_option"} <= reasons


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


def _redone(path: Path, rewrite: Callable[[zipfile.ZipFile, dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    target = path.parent / "redone.keras"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        rewrite(archive, members)
    return target


def _plus(name: str, content: bytes = b"x") -> Callable[[Any, dict[str, bytes]], None]:
    def rewrite(archive: zipfile.ZipFile, members: dict[str, bytes]) -> None:
        for each, held in members.items():
            archive.writestr(each, held)
        archive.writestr(name, content)

    return rewrite


def _linked(archive: zipfile.ZipFile, members: dict[str, bytes]) -> None:
    for name, content in members.items():
        info = zipfile.ZipInfo(name)
        if name == WEIGHTS:
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, b"/etc/passwd" if name == WEIGHTS else content)


def _bomb(name: str, size: int) -> Callable[[Any, dict[str, bytes]], None]:
    def rewrite(archive: zipfile.ZipFile, members: dict[str, bytes]) -> None:
        for each, content in members.items():
            archive.writestr(each, b" " * size if each == name else content)

    return rewrite


@pytest.mark.parametrize(
    ("rewrite", "code"),
    [
        (_plus("../../evil.py"), "unexpected_member"),
        (_plus("/etc/evil"), "unexpected_member"),
        (_plus("assets/vocabulary.txt"), "unexpected_member"),
        (_linked, "unexpected_member"),
        (_bomb(CONFIG, 2**24 + 1), "too_large"),
        (_bomb(METADATA, 2**16 + 1), "too_large"),
        (_bomb(WEIGHTS, MOST_BYTES + 1), "too_large"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_archive(
    rewrite: Callable[[Any, dict[str, bytes]], None], code: str, plane_file: Path, tmp_path: Path
) -> None:
    path = tampered(plane_file, tmp_path / "n.keras")
    assert refused(_redone(path, rewrite)).reason == code
    assert sorted(each.name for each in tmp_path.iterdir()) == ["n.keras", "redone.keras"] or (
        code == "too_large"
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice(plane_file: Path, tmp_path: Path) -> None:
    path = tampered(plane_file, tmp_path / "n.keras")
    assert refused(_redone(path, _plus(CONFIG))).reason == "unexpected_member"


def test_a_size_that_lies(plane_file: Path, tmp_path: Path) -> None:
    """The archive says that its weights are small, and they inflate to more."""
    path = _redone(tampered(plane_file, tmp_path / "n.keras"), _bomb(WEIGHTS, MOST_BYTES + 1))
    content, size = path.read_bytes(), struct.pack("<I", MOST_BYTES + 1)
    assert size in content
    path.write_bytes(content.replace(size, struct.pack("<I", 9)))
    assert refused(path).reason in {"not_a_keras_archive", "too_large", "weights_unreadable"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, b"\x89HDF"])
def test_what_is_no_archive(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "n.keras"
    path.write_bytes(content)
    assert refused(path).reason in {"not_a_keras_archive", "unexpected_member"}


def test_another_version_of_keras(plane_file: Path, tmp_path: Path) -> None:
    path = tampered(plane_file, tmp_path / "n.keras", metadata={"keras_version": "2.15.0"})
    assert refused(path).reason == "not_of_keras_3"


DENSE = "layers/dense/vars/0"


def _replaced(make: Callable[[h5py.File], None]) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[DENSE]
        make(file)

    return change


def _external_link(file: h5py.File) -> None:
    file[DENSE] = h5py.ExternalLink("/etc/passwd", "/a")


def _soft_link(file: h5py.File) -> None:
    file[DENSE] = h5py.SoftLink("/layers/dense_1/vars/0")


def _external_storage(file: h5py.File) -> None:
    external = [("/etc/passwd", 0, 4 * 30 * 7)]
    file.create_dataset(DENSE, (30, 7), np.float32, external=external)


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((30, 7), np.float32)
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "a", (30, 7))
    file.create_virtual_dataset(DENSE, layout)


def _huge(file: h5py.File) -> None:
    file.create_dataset(DENSE, (2**22, 2**22), np.float32, chunks=(1024, 1024))


def _objects(file: h5py.File) -> None:
    file.create_dataset(DENSE, (30, 7), h5py.string_dtype())


def _infinite(file: h5py.File) -> None:
    file[DENSE][0, 0] = np.inf


def _gone(file: h5py.File) -> None:
    del file["layers/dense_1"]


def _cycle(file: h5py.File) -> None:
    file["layers/dense/again"] = file["layers"]


def _more(file: h5py.File) -> None:
    file["layers/dense/vars/2"] = np.zeros(3, np.float32)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_replaced(_external_link), "link_in_weights"),
        (_replaced(_soft_link), "link_in_weights"),
        (_replaced(_external_storage), "external_weights"),
        (_replaced(_virtual), "external_weights"),
        (_replaced(_huge), "weights_unreadable"),
        (_replaced(_objects), "weights_unreadable"),
        (_infinite, "not_finite"),
        (_gone, "weights_do_not_fit"),
        (_cycle, "weights_unreadable"),
        (_more, "weights_do_not_fit"),
    ],
)
def test_hostile_weights(
    change: Callable[[h5py.File], None], code: str, plane_file: Path, tmp_path: Path
) -> None:
    failure = refused(tampered(plane_file, tmp_path / "n.keras", weights=change))
    assert failure.reason == code
    assert str(failure.pointer).startswith("#/file/model.weights.h5")


def test_arrays_of_another_shape_are_not_read(plane_file: Path, tmp_path: Path) -> None:
    """A terabyte that is declared, deflated to nothing, is refused by its shape."""

    def declared(file: h5py.File) -> None:
        del file[DENSE]
        file.create_dataset(DENSE, (2**20, 2**18), np.float32, compression="gzip")

    failure = refused(tampered(plane_file, tmp_path / "n.keras", weights=declared))
    assert failure.reason == "weights_do_not_fit"
    assert failure.pointer == f"#/file/model.weights.h5/{DENSE}"


def test_weights_that_are_no_hdf5(plane_file: Path, tmp_path: Path) -> None:
    path = _redone(tampered(plane_file, tmp_path / "n.keras"), _bomb(WEIGHTS, 4096))
    assert refused(path).reason == "weights_unreadable"
