"""Archives that are odd, hostile or damaged: a dataset, or a reason with a name in it."""

import gzip
import os
import stat
import struct
import tarfile
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import FailureCode, WorkFailure
from tests.intake.archives import LIMITS, arrays, npz_bytes, take
from tests.picture_files import folders, png, tarred, zipped
from worker.intake.pictures.archives import FILES_LIMIT
from worker.intake.pictures.names import encoding_of
from worker.intake.raw import IntakeLimits

GOOD = folders("cat", "dog")


def refusal(folder: Path, content: bytes, name: str = "a.zip", limits: IntakeLimits = LIMITS):
    with pytest.raises(WorkFailure) as refused:
        take(folder, {name: content}, limits)
    assert refused.value.code is FailureCode.DATASET_INVALID
    return refused.value


def with_raw_name(name: bytes, content: bytes) -> bytes:
    """A zip of GOOD and one file more, whose name is these bytes."""
    placeholder = "x" * len(name)
    return zipped({**GOOD, placeholder: content}).replace(placeholder.encode(), name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../cat/1.png", "leaves the folder"),
        ("cat/../../1.png", "leaves the folder"),
        ("..\\cat\\1.png", "leaves the folder"),
        ("/etc/1.png", "absolute"),
        ("\\\\server\\1.png", "absolute"),
        ("C:\\cat\\1.png", "absolute"),
        ("c:1.png", "absolute"),
    ],
)
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str, words: str) -> None:
    for number, content in enumerate((zipped({**GOOD, name: png(1)}), tarred({name: png(1)}))):
        inside = tmp_path / str(number)
        inside.mkdir()
        refused = refusal(inside, content, ("a.zip", "a.tar.gz")[number])
        assert refused.reason == "unsafe_path"
        assert words in refused.detail
        assert name in refused.detail
    assert not (tmp_path.parent / "cat").exists()


@pytest.mark.parametrize("name", ["n" * 201 + "/0.png", "/".join("abc" * 200) + ".png"])
def test_long_names_are_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, zipped({**GOOD, name: png(1)})).reason == "name_too_long"


def test_links_are_refused_by_name(tmp_path: Path) -> None:
    link = ZipInfo("cat/link.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    refused = refusal(tmp_path, zipped({**GOOD, link: b"/etc/passwd"}))
    assert (refused.reason, refused.pointer) == ("unsafe_path", "#/file/a.zip")
    assert "a link `cat/link.png`" in refused.detail
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        member = tarfile.TarInfo("cat/link.png")
        member.type, member.linkname = kind, "/etc/passwd"
        assert refusal(tmp_path, tarred({member: b""}, "w"), "a.tar").reason == "unsafe_path"


def test_a_password_is_told(tmp_path: Path) -> None:
    content = bytearray(zipped(GOOD))
    place = content.rindex(b"PK\x01\x02")
    content[place + 8] |= 1
    assert refusal(tmp_path, bytes(content)).reason == "encrypted_archive"


def test_an_archive_inside_is_named(tmp_path: Path) -> None:
    refused = refusal(tmp_path, zipped({**GOOD, "cat/more.zip": zipped(GOOD)}))
    assert refused.reason == "unreadable_pictures"
    assert "`cat/more.zip`: an archive inside" in refused.detail


def test_bombs_are_bounded(tmp_path: Path) -> None:
    for number, size in enumerate((2**25, 2**27)):  # as a member, which is read; and too large
        entry = ZipInfo("cat/bomb.png")
        entry.compress_type = ZIP_DEFLATED
        inside = tmp_path / str(number)
        inside.mkdir()
        refused = refusal(inside, zipped({**GOOD, entry: bytes(size)}))
        assert refused.reason == "unreadable_pictures"
    assert "more than 64 MiB" in refused.detail
    packed = gzip.compress(tarred({"cat/bomb.png": bytes(2**23)}, "w"))
    refused = refusal(tmp_path, packed, "a.tar.gz")
    assert (refused.reason, refused.pointer) == ("too_large", "#/file/a.tar.gz")
    assert sum(each.stat().st_size for each in tmp_path.iterdir() if each.is_file()) < 2**22


def test_too_many_bytes_are_refused_before_anything_is_decoded(tmp_path: Path) -> None:
    with pytest.raises(WorkFailure) as refused:
        take(tmp_path, {"a.zip": zipped(GOOD)}, image_size=(1000, 1000))
    assert refused.value.reason == "too_large"
    assert "smaller `image_size`" in refused.value.detail
    assert not list(tmp_path.glob("raw_x_*"))


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert FILES_LIMIT == 300_000
    monkeypatch.setattr("worker.intake.pictures.archives.FILES_LIMIT", 5)
    for content, name in ((zipped(GOOD), "a.zip"), (tarred(GOOD, "w"), "a.tar")):
        assert refusal(tmp_path, content, name).reason == "too_many_files"


def test_members_are_counted_before_an_object_is_made_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number at the archive's end is a lie."""
    member = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a"
    directory = member * (FILES_LIMIT + 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), 4, 0)
    monkeypatch.setattr("zipfile.ZipInfo", None)
    refused = refusal(tmp_path, b"PK\x03\x04" + directory + end)
    assert refused.reason == "too_many_files"
    assert "got 300001" in refused.detail


def test_every_unreadable_file_is_in_one_answer(tmp_path: Path) -> None:
    bad = {f"cat/bad_{number:03}.jpg": b"MZ" + bytes(50) for number in range(150)}
    refused = refusal(tmp_path, zipped(GOOD | bad)).as_json()
    assert "150 of 156" in refused["message"]
    assert len(refused["errors"]) == 100
    assert refused["errors_left_off"] == 50
    assert refused["errors"][7] == {
        "detail": "expected a picture, got a program",
        "pointer": "#/file/cat~1bad_007.jpg",
    }


def test_no_pictures_at_all(tmp_path: Path) -> None:
    files = {"data/table.csv": b"a,b\n1,2\n", "data/README.md": b"hello"}
    refused = refusal(tmp_path, zipped(files))
    assert refused.reason == "no_pictures"
    assert "1 of tables and annotations, 1 of texts" in refused.detail
    assert refusal(tmp_path, zipped({})).reason == "no_pictures"


def test_a_spreadsheet_is_told_what_to_become(tmp_path: Path) -> None:
    refused = refusal(tmp_path, zipped({"xl/workbook.xml": b"<xml/>"}), "Book1.xlsx")
    assert refused.reason == "unknown_format"
    assert "`Book1.xlsx`: save it as CSV" in refused.detail


def test_junk_is_counted_by_kind(tmp_path: Path) -> None:
    junk = {
        **{"__MACOSX/cat/._0.png": b"x", "cat/._1.png": b"x", "cat/.DS_Store": b"x"},
        **{"dog/Thumbs.db": b"x", "dog/desktop.ini": b"x", ".git/HEAD": b"x"},
        **{".ipynb_checkpoints/0.png": png(0), "LICENSE": b"x", "notes.txt": b"x"},
        **{"clip.mov": b"x", "cat/IMG_1.AAE": b"x", "boxes.json": b"{}", "read.py": b"x"},
    }
    taken = take(tmp_path, {"a.zip": zipped(GOOD | junk)})
    assert sum(taken.schema.splits.values()) == len(GOOD)
    assert taken.profile["pictures"]["other_files"] == {
        **{"__MACOSX": 1, "._*": 1, ".DS_Store": 1, "Thumbs.db": 1, "desktop.ini": 1},
        **{"hidden files": 1, ".ipynb_checkpoints": 1, "texts": 2, "programs": 1},
        **{"videos and sounds": 1, "side files of phones and cameras": 1},
        "tables and annotations": 1,
    }
    told = " ".join(taken.profile["warnings"])
    assert "1 files that are videos and sounds were not read: `clip.mov`." in told
    assert "texts" not in told


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        ([], "utf-8"),
        (["café".encode(), "猫".encode()], "utf-8"),
        (["猫".encode("gbk"), "狗".encode("gbk")], "gb18030"),
        (["镕基".encode("gbk"), "猫和狗在一起玩".encode("gbk")], "gb18030"),
        (["Müller".encode("cp437")], "cp437"),
        (["Größe".encode("cp437"), "año".encode("cp437")], "cp437"),
    ],
)
def test_names_of_an_unsaid_encoding(names: list[bytes], encoding: str) -> None:
    assert encoding_of(names) == encoding


def test_unsaid_names_of_a_zip_and_of_a_tar(tmp_path: Path) -> None:
    content = zipped(
        {
            f"{name}/{n}.png": png(n + place)
            for place, name in ((0, "xx"), (9, "yy"))
            for n in range(3)
        }
    )
    content = content.replace(b"xx/", "猫".encode("gbk") + b"/")
    content = content.replace(b"yy/", "狗".encode("gbk") + b"/")
    taken = take(tmp_path, {"a.zip": content})
    assert set(taken.schema.classes) == {"猫", "狗"}
    assert "read as GB18030" in " ".join(taken.profile["warnings"])
    named = {f"{os.fsdecode('狗'.encode('gbk'))}/{n}.png": png(n) for n in range(3)}
    members = {}
    for name, data in (named | folders("cat")).items():
        member = tarfile.TarInfo(name)
        member.size = len(data)
        members[member] = data
    packed = tarred(members, "w")
    assert set(take(tmp_path, {"a.tar": packed}).schema.classes) == {"狗", "cat"}


def test_an_npz_stays_one_and_a_zip_of_arrays_too(tmp_path: Path) -> None:
    refused = refusal(tmp_path, zipped({"x.npy": b"", "y.npy": b""}))
    assert refused.pointer == "#/file/x"
    with pytest.raises(WorkFailure) as sized:
        take(tmp_path, {"a.npz": npz_bytes(**arrays())}, image_size=(8, 8))
    assert sized.value.reason == "image_size_of_arrays"


ARCHIVES = [("a.zip", zipped(GOOD)), ("a.tar", tarred(GOOD, "w")), ("a.tar.gz", tarred(GOOD))]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damaged_bytes_give_a_dataset_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name, whole = data.draw(st.sampled_from(ARCHIVES))
    content = bytearray(whole)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    content = content[: cut or None]
    assert outcome(tmp_path_factory.mktemp("damaged"), name, bytes(content))


def outcome(folder: Path, name: str, content: bytes) -> bool:
    """Whether it is a dataset, or a refusal that points at something."""
    try:
        take(folder, {name: content})
    except WorkFailure as failure:
        return failure.code is FailureCode.DATASET_INVALID and bool(failure.pointer)
    return True
