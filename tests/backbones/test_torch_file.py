"""A PyTorch file gives its tensors, and nothing that it says is done."""

import copyreg
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.backbones.torch_files import Tensor, legacy_file, with_object
from worker.backbones.torch_file import NoTensorFile, read_tensors

NUMBERS = np.arange(12, dtype=np.float32)


def read(folder: Path, content: bytes) -> dict[str, np.ndarray]:
    path = folder / "weights.pth"
    path.write_bytes(content)
    return read_tensors(path)


def test_tensors_share_storages_and_keep_their_strides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = np.array([7], np.int64)
    content = legacy_file(
        monkeypatch,
        {
            "plain": Tensor(NUMBERS, (3, 4), (4, 1)),
            "transposed": Tensor(NUMBERS, (4, 3), (1, 4)),
            "part": Tensor(NUMBERS, (2, 2), (4, 1), offset=5),
            "scalar": Tensor(counted, (), (), key="1"),
            "half": Tensor(NUMBERS.astype(np.float16), (12,), (1,), key="2"),
            "empty": Tensor(NUMBERS, (0, 4), (4, 1)),
        },
    )
    found = read(tmp_path, content)
    grid = NUMBERS.reshape(3, 4)
    np.testing.assert_array_equal(found["plain"], grid)
    np.testing.assert_array_equal(found["transposed"], grid.T)
    np.testing.assert_array_equal(found["part"], [[5, 6], [9, 10]])
    assert found["scalar"].shape == ()
    assert found["scalar"] == 7
    assert found["half"].dtype == np.float16
    assert found["empty"].shape == (0, 4)
    found["plain"][0, 0] = 99  # a copy: another tensor of the storage stays
    assert found["transposed"][0, 0] == 0


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(NUMBERS, (3, 5), (4, 1)),
        Tensor(NUMBERS, (12,), (1,), offset=1),
        Tensor(NUMBERS, (2,), (-1,), offset=3),
        Tensor(NUMBERS, (12,), (1,), offset=-1),
        Tensor(NUMBERS, (2**40,), (0,)),  # would take 4 TB
        Tensor(NUMBERS, (2**70,), (1,)),
        Tensor(NUMBERS, (3, 4), (4,)),
        Tensor(NUMBERS, (1,) * 40, (1,) * 40),
        Tensor(NUMBERS, (12,), (1,), claims=2**40),
        Tensor(NUMBERS, (12,), (1,), claims=-1),
    ],
    ids=lambda tensor: f"{tensor.shape} {tensor.strides} {tensor.offset} {tensor.claims}"[:60],
)
def test_places_outside_of_a_storage_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tensor: Tensor
) -> None:
    with pytest.raises(NoTensorFile):
        read(tmp_path, legacy_file(monkeypatch, {"x": tensor}))


def test_a_file_that_was_cut_is_refused_wherever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = legacy_file(monkeypatch, {"x": Tensor(NUMBERS, (12,), (1,))})
    for length in range(0, len(content), 7):
        with pytest.raises(NoTensorFile):
            read(tmp_path, content[:length])


def short(text: str) -> bytes:
    return b"\x8c" + struct.pack("<B", len(text)) + text.encode()


def hostile(touch: str) -> dict[str, bytes]:
    """Pickles that run a program, or try to, each by other means."""
    command = touch.encode()
    view = b"ctorch._utils\n_rebuild_tensor_v2\n"
    return {
        "a function by its name": b"cos\nsystem\n(V" + command + b"\ntR.",
        "by names on the stack": b"\x80\x04" + short("os") + short("system") + b"\x93"
        b"(" + short(touch) + b"tR.",
        "an instance": b"(V" + command + b"\nios\nsystem\n.",
        "an object": b"\x80\x02(cos\nsystem\nV" + command + b"\no.",
        "a new object": b"\x80\x02csubprocess\nPopen\n(V" + command + b"\nt\x81.",
        "eval": b"c__builtin__\neval\n(V__import__('os').system('" + command + b"')\ntR.",
        "an attribute of what is allowed": b"\x80\x04"
        + short("collections")
        + short("OrderedDict.__init__.__globals__")
        + b"\x93.",
        "a module of what is allowed": b"\x80\x04"
        + short("torch._utils")
        + short("os.system")
        + b"\x93("
        + short(touch)
        + b"tR.",
        "an extension": b"\x80\x02\x82\x01(V" + command + b"\ntR.",
        "a state for the function": view + b"(N}V__defaults__\n(V" + command + b"\ntstb.",
        "a state for the class": b"ccollections\nOrderedDict\n(N}V__reduce__\nV"
        + command
        + b"\nstb.",
        "a persistent id": b"V" + command + b"\nQ.",
        "a tensor of no storage": view + b"(V" + command + b"\nI0\n(I1\nt(I1\ntI00\n}tR.",
        "a storage of another type": b"(Vstorage\ncos\nsystem\nV0\nVcpu\nI1\nNtQ.",
        "within a dictionary": b"}V_fc.weight\ncos\nsystem\n(V" + command + b"\ntRs.",
        "no dictionary": b"(lI1\na.",
        "no tensors in it": b"}Vx\nI1\ns.",
    }


@pytest.mark.parametrize("kind", hostile(""))
def test_nothing_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setitem(copyreg._inverted_registry, 1, ("os", "system"))  # type: ignore[attr-defined]
    marker = tmp_path / "was here"
    pickled = hostile(f"touch '{marker}'")[kind]
    with pytest.raises(NoTensorFile):
        read(tmp_path, with_object(pickled))
    with pytest.raises(NoTensorFile):  # in place of the magic number too
        read(tmp_path, pickled)
    assert not marker.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["weights.pth"]


def test_the_hostile_ones_would_be_executed_by_pickle(tmp_path: Path) -> None:
    marker = tmp_path / "was here"
    pickle.loads(hostile(f"touch '{marker}'")["a function by its name"])
    assert marker.exists()


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 a zip archive", b"\x89HDF\r\n", pickle.dumps(1), b"\x80\x02K"]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(NoTensorFile):
        read(tmp_path, content)
