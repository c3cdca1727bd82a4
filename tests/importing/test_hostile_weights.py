"""Weights that were made to do harm: each is refused by name, and no other file is opened."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.importing.archives import WEIGHTS, tampered
from tests.importing.refusals import bomb, redone, refused

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


def _large_chunks(file: h5py.File) -> None:
    file.create_dataset(DENSE, (30, 7), np.float32, chunks=(2**14, 2**14), maxshape=(None, None))


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
        (_replaced(_large_chunks), "weights_unreadable"),
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
    path = redone(tampered(plane_file, tmp_path / "n.keras"), bomb(WEIGHTS, 4096))
    assert refused(path).reason == "weights_unreadable"
