"""Arrays that nobody saves by accident: each is a dataset or a reason that a person can read."""

import io
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from numpy.lib import format as npy

from app.errors import FailureCode, WorkFailure
from tests.intake.archives import arrays, npz_bytes, take
from worker.intake.ingestion import IngestedDataset
from worker.intake.raw import IntakeLimits

SHAPES = [
    "()",
    "(0,)",
    "(12,)",
    "(True,)",
    "(True, 8, 8)",
    "(12, False, 2)",
    "(12, 2, True)",
    "(-1,)",
    "(12, -1)",
    "(-12, -2, 2)",
    "(2**40,)",
    "(4294967296, 4294967296)",
    f"({2**62}, {2**62}, {2**62})",
    "(9" + "9" * 4000 + ",)",
    "(9" + "9" * 4400 + ",)",
    "(12, 2, 2, 1, 1)",
    "(" + "1, " * 70 + ")",
    "[12, 2, 2]",
    "12",
    "(12.0, 2, 2)",
    "('12', 2, 2)",
    "(12, 2, None)",
    "((12, 2), 2)",
]
DESCRS = [
    "'|u1'",
    "'<f8'",
    "'>f8'",
    "'>i2'",
    "'|b1'",
    "'<f2'",
    "'<f16'",
    "'<c16'",
    "'|O'",
    "'<M8[s]'",
    "'<m8'",
    "'|V8'",
    "'<U1'",
    "'>U1'",
    "'|S1'",
    "'<U0'",
    "'|S0'",
    "'<U536870911'",
    "'<U99999999999'",
    "[('a', '<f8'), ('b', '|O')]",
    "[('a', [('b', '<f8')])]",
    "[('a', '<f8', (2, 2))]",
    "('<f8', (2, 2))",
    "'f8,f8'",
    "''",
    "None",
    "3",
    "{'names': ['a'], 'formats': ['<f8']}",
]
WHOLE = "{'descr': '|u1', 'fortran_order': False, 'shape': (12, 2, 2)}"


def header(text: str, version: int = 1, length: int | None = None) -> bytes:
    content = text.encode("latin1")
    declared = len(content) if length is None else length
    return (
        b"\x93NUMPY"
        + bytes([version, 0])
        + declared.to_bytes(2 if version == 1 else 4, "little")
        + content
    )


def headers() -> Iterator[bytes]:
    for shape in SHAPES:
        for order in (False, True):
            yield header(f"{{'descr': '<f4', 'fortran_order': {order}, 'shape': {shape}}}")
    for descr in DESCRS:
        for shape in ("(12,)", "(12, 2, 2)"):
            yield header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}")
    for version in (0, 2, 3, 4, 9, 255):
        yield header(WHOLE, version)
    yield header(WHOLE, 2, length=10**9)
    yield header(WHOLE, 3, length=2**32 - 1)
    yield header(WHOLE + " " * 9000)
    for text in (
        "",
        "{}",
        "[1]",
        WHOLE[:-1],
        WHOLE.replace("False", "'yes'"),
        WHOLE.replace("'shape'", "'form'"),
        WHOLE.replace("}", ", 'more': 1}"),
        "__import__('os').abort()",
        "(" * 9000,
        "{'descr': '|u1', 'descr': '|O', 'fortran_order': False, 'shape': (12,)}",
    ):
        yield header(text)


def outcome(folder: Path, content: bytes) -> IngestedDataset | WorkFailure:
    folder.mkdir()
    try:
        return take(folder, {"a.npz": content}, IntakeLimits(items=10**6, bytes=2**22))
    except WorkFailure as failure:
        found = failure
    assert found.code is FailureCode.DATASET_INVALID
    assert 10 < len(found.detail) <= 1001
    assert found.pointer
    return found


def contents(hostile: bytes) -> list[bytes]:
    """What may stand behind a header: nothing, and as much as it says."""
    try:
        stream = io.BytesIO(hostile)
        npy.read_magic(stream)
        shape, _, dtype = npy.read_array_header_1_0(stream, max_header_size=100_000)
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    except Exception:
        size = 0
    return [b"", *(fill * size for fill in (b"\1", b"\xff") if 0 < size < 2**16)]


@pytest.mark.parametrize("role", ["x_train", "y_test", "class_names"])
def test_every_header_gives_a_dataset_or_a_reason(tmp_path: Path, role: str) -> None:
    members = arrays(class_names=np.array(["a", "b", "c"]))
    for number, hostile in enumerate(headers()):
        for kind, content in enumerate(contents(hostile)):
            stream = io.BytesIO()
            with ZipFile(stream, "w") as archive:
                for name, array in members.items():
                    with archive.open(f"{name}.npy", "w") as member:
                        if name == role:
                            member.write(hostile + content)
                        else:
                            npy.write_array(member, array)
            outcome(tmp_path / f"{number}-{kind}", stream.getvalue())


@pytest.mark.parametrize("code", [0x110000, 0xFFFFFFFF, 0xD800, 0xDFFF])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("role", ["y_train", "y_test", "class_names"])
def test_a_label_beyond_unicode_is_told(tmp_path: Path, code: int, order: str, role: str) -> None:
    good = np.array([ord("a"), ord("b"), ord("c")] * 4, f"{order}u4")
    texts = {"y_train": good, "y_test": good[:6]}
    if role == "class_names":
        texts = {role: good[:3]}
    texts[role] = texts[role].copy()
    texts[role][2] = code
    held = arrays(**{name: codes.view(f"{order}U1") for name, codes in texts.items()})
    found = outcome(tmp_path / "a", npz_bytes(**held))
    assert isinstance(found, WorkFailure)
    assert (found.reason, found.pointer) == ("wrong_type", f"#/file/{role}")
    assert f"{code:#x} in item 2" in found.detail


def test_text_of_the_other_byte_order_is_text(tmp_path: Path) -> None:
    labels = np.array(["é", "b", "€"] * 4).astype(">U1")
    found = outcome(tmp_path / "a", npz_bytes(**arrays(y_train=labels, y_test=labels[:6])))
    assert isinstance(found, IngestedDataset)
    assert set(found.schema.classes) == {"é", "b", "€"}


def test_a_directory_of_very_many_arrays_is_not_read(tmp_path: Path) -> None:
    for arrays_in, reason in ((1001, "too_many_arrays"), (20_000, "truncated_file")):
        stream = io.BytesIO()
        with ZipFile(stream, "w") as archive:
            for number in range(arrays_in):
                archive.writestr(f"{number}.npy", b"")
        found = outcome(tmp_path / reason, stream.getvalue())
        assert isinstance(found, WorkFailure)
        assert found.reason == reason


@pytest.mark.parametrize(
    ("held", "place"),
    [
        (arrays(**{"n" * 201: np.zeros(1)}), "a.npz"),
        (arrays(class_names=np.array(["a" * 201, "b", "c"])), "class_names"),
        (
            {
                "x": np.zeros((9000, 1, 1), np.uint8),
                "y": np.arange(9000),
                "x_test": np.zeros((1, 1, 1), np.uint8),
                "y_test": np.zeros(1, int),
                "class_names": np.array([f"{number:050}" for number in range(9000)]),
            },
            "class_names",
        ),
    ],
)
def test_long_names_are_refused(tmp_path: Path, held: dict[str, np.ndarray], place: str) -> None:
    found = outcome(tmp_path / "a", npz_bytes(**held))
    assert isinstance(found, WorkFailure)
    assert found.pointer == f"#/file/{place}"
    assert "characters" in found.detail
