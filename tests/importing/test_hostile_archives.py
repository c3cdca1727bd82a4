"""Archives that were made to do harm: each is refused by name, and nothing leaves its folder."""

import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.importing.archives import CONFIG, METADATA, WEIGHTS, tampered
from tests.importing.refusals import MOST_BYTES, Rewrite, bomb, redone, refused


def _plus(name: str, content: bytes = b"x") -> Rewrite:
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


@pytest.mark.parametrize(
    ("rewrite", "code"),
    [
        (_plus("../../evil.py"), "unexpected_member"),
        (_plus("/etc/evil"), "unexpected_member"),
        (_plus("assets/vocabulary.txt"), "unexpected_member"),
        (_linked, "unexpected_member"),
        (bomb(CONFIG, 2**24 + 1), "too_large"),
        (bomb(METADATA, 2**16 + 1), "too_large"),
        (bomb(WEIGHTS, MOST_BYTES + 1), "too_large"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_hostile_archive(rewrite: Rewrite, code: str, plane_file: Path, tmp_path: Path) -> None:
    path = tampered(plane_file, tmp_path / "n.keras")
    assert refused(redone(path, rewrite)).reason == code
    assert sorted(each.name for each in tmp_path.iterdir()) == ["n.keras", "redone.keras"] or (
        code == "too_large"
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice(plane_file: Path, tmp_path: Path) -> None:
    path = tampered(plane_file, tmp_path / "n.keras")
    assert refused(redone(path, _plus(CONFIG))).reason == "unexpected_member"


def test_a_size_that_lies(plane_file: Path, tmp_path: Path) -> None:
    """The archive says that its weights are small, and they inflate to more."""
    path = redone(tampered(plane_file, tmp_path / "n.keras"), bomb(WEIGHTS, MOST_BYTES + 1))
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


def _named_in_no_utf8(content: bytes) -> bytes:
    """A name that says it is UTF-8, and is not."""
    name = "é".encode() * 10
    return content.replace(name, b"\xff\xfe" * 10)


def _before_the_beginning(content: bytes) -> bytes:
    """A directory that says it begins before the file does."""
    end = bytearray(content)
    at = end.rfind(b"PK\x05\x06")
    end[at + 12 : at + 20] = struct.pack("<II", len(content) * 2, 9)
    return bytes(end)


def _extra_field_cut_off(content: bytes) -> bytes:
    return content.replace(b"\x01\x00\x04\x00", b"\x01\x00\xff\x7f")


@pytest.mark.parametrize("damage", [_named_in_no_utf8, _before_the_beginning, _extra_field_cut_off])
def test_a_directory_that_zipfile_stumbles_over(
    damage: Callable[[bytes], bytes], plane_file: Path, tmp_path: Path
) -> None:
    """What it raises there is no BadZipFile, and is refused all the same."""
    path = tmp_path / "n.keras"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("é" * 10)
        info.extra = b"\x01\x00\x04\x00abcd"
        archive.writestr(info, b"x")
    path.write_bytes(damage(path.read_bytes()))
    assert refused(path).reason == "not_a_keras_archive"


def test_many_members_are_not_made_objects_of(tmp_path: Path) -> None:
    path = tmp_path / "n.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(60_000):
            archive.writestr(str(number), b"")
    tracemalloc.start()
    assert refused(path).reason in {"not_a_keras_archive", "unexpected_member"}
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(17):
            archive.writestr(str(number), b"")
    assert "got 17 members" in refused(path).detail
