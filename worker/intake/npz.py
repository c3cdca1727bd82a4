"""NumPy archives: x_train[, y_train][, x_test[, y_test]][, class_names]. The training split may be
called x and y, or images and labels; both splits train_images, train_labels, test_images and so on.
"""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile, ZipInfo

from numpy.lib import format as npy

from worker.intake.joined.arrays import are_parts, roles_of
from worker.intake.raw import (
    NAME_CHARACTERS,
    Declared,
    IntakeLimits,
    RawArrays,
    RawFile,
    damage_refused,
    inflate,
    refuse,
)
from worker.intake.sizes import check_declared
from worker.machine.capped_file import CappedFile

name = "npz"

ROLES = {
    "x_train": ("x_train", "x", "images", "train_images"),
    "y_train": ("y_train", "y", "labels", "train_labels"),
    "x_test": ("x_test", "test_images"),
    "y_test": ("y_test", "test_labels"),
    "class_names": ("class_names",),
}
KNOWN = {name for names in ROLES.values() for name in names}
NEAR = 0.8  # of difflib's ratio: a slip of the keyboard
HEADER_BYTES = 10_000
VERSIONS = {1, 2, 3}
DIRECTORY_BYTES = 2**20  # of a zip's members; and as much is read of it at once
ARRAYS_LIMIT = 1000


def recognises(files: Sequence[RawFile]) -> bool:
    return any(_is_archive(file) for file in files)


def _is_archive(file: RawFile) -> bool:
    with file.path.open("rb") as stream:
        return file.name.lower().endswith(".npz") or stream.read(4) == b"PK\x03\x04"


def read(files: Sequence[RawFile], limits: IntakeLimits, workdir: Path) -> RawArrays:
    """One tensor per item."""
    arrays, ignored = _read(files, _roles, limits, workdir)
    return RawArrays(**arrays, ignored=ignored)


def read_parts(
    files: Sequence[RawFile], limits: IntakeLimits, workdir: Path
) -> dict[str, Any] | None:
    """Arrays of items of several parts, by their names; None where it holds none."""
    if not any(_is_archive(file) and are_parts(_names(file)) for file in files):
        return None
    return _read(files, lambda members, file: roles_of([*members]), limits, workdir)[0]


def _names(file: RawFile) -> list[str]:
    with (
        damage_refused(file.name),
        CappedFile(file.path, DIRECTORY_BYTES) as opened,
        ZipFile(opened) as zipped,
    ):
        return [*_members(zipped, file.name)]


def _read(
    files: Sequence[RawFile],
    roles: Callable[[Iterable[str], str], dict[str, str]],
    limits: IntakeLimits,
    workdir: Path,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Arrays by their roles, and what the file holds besides."""
    if len(files) != 1:
        refuse("unknown_format", f"expected one .npz file, got {len(files)} files")
    file = files[0]
    with (
        damage_refused(file.name),
        CappedFile(file.path, DIRECTORY_BYTES) as opened,
        ZipFile(opened) as zipped,
    ):
        members = _members(zipped, file.name)
        chosen = roles(members, file.name)
        headers = {}
        for role, key in chosen.items():
            with zipped.open(members[key]) as stream:
                headers[role] = _header(stream, key)
        check_declared(headers.values(), file.path.stat().st_size, limits, file.name)
        arrays: dict[str, Any] = {}
        for role, key in chosen.items():
            with zipped.open(members[key]) as stream:
                _header(stream, key)
                arrays[role] = inflate(stream, headers[role], workdir / f"raw_{role}")
    ignored = tuple(sorted(members.keys() - set(chosen.values())))
    return arrays, ignored


def _members(archive: ZipFile, file: str) -> dict[str, ZipInfo]:
    """The arrays by their names."""
    held = archive.infolist()
    if len(held) > ARRAYS_LIMIT:
        detail = f"expected at most {ARRAYS_LIMIT} arrays in `{file}`, got {len(held)}"
        refuse("too_many_arrays", detail, file)
    members = {
        member.filename.removesuffix(".npy"): member
        for member in held
        if member.filename.endswith(".npy")
    }
    if long := [name for name in members if len(name) > NAME_CHARACTERS]:
        detail = (
            f"expected names of at most {NAME_CHARACTERS} characters in `{file}`, got an array's "
            f"of {len(long[0])}, which begins with `{long[0][:20]}`"
        )
        refuse("name_too_long", detail, file)
    return members


def _roles(members: Iterable[str], file: str) -> dict[str, str]:
    """Role -> the array's name in the file."""
    held = set(members)
    chosen = {
        role: next(known for known in names if known in held)
        for role, names in ROLES.items()
        if held & set(names)
    }
    for role in ("x_train", "x_test") if "y_test" in chosen else ("x_train",):
        if role not in chosen:
            names = " or ".join(f"`{known}`" for known in ROLES[role])
            found = ", ".join(sorted(held)[:20]) or "none"
            detail = f"expected an array {names} in `{file}`, got: {found}{_cure(held, role)}"
            refuse("missing_array", detail, role)
    return chosen


def _cure(held: set[str], role: str) -> str:
    by_case = {name.casefold(): name for name in held}
    for name in ROLES[role]:
        if name in by_case:
            return f"; was `{by_case[name]}` meant to be `{name}`?"
        if close := get_close_matches(name, sorted(held - KNOWN), 1, NEAR):
            return f"; was `{close[0]}` meant to be `{name}`?"
    if "arr_0" in held:
        return "; np.savez(file, x=…, y=…) gives the arrays their names"
    return ""


def _header(stream: IO[bytes], key: str) -> Declared:
    """Never more than HEADER_BYTES are read."""
    try:
        major, _ = npy.read_magic(stream)
        if major not in VERSIONS:
            raise ValueError(f"expected a version from 1 to 3 of the format, got {major}")
        length = stream.read(2 if major == 1 else 4)
        if int.from_bytes(length, "little") > HEADER_BYTES:
            raise ValueError("it is too long")
        header = BytesIO(length + stream.read(int.from_bytes(length, "little")))
        read_header = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
        shape, is_fortran, dtype = read_header(header)
    except Exception as error:  # the header is a Python literal: what its parsers raise is open
        refuse("truncated_file", f"the header of `{key}` is damaged: {error}", key)
    if dtype.hasobject:
        detail = (
            f"expected numbers or strings in `{key}`, got pickled objects: never loaded; "
            f"{key}.astype(str) makes strings of them, np.stack({key}) one array of many"
        )
        refuse("pickled_objects", detail, key)
    if dtype.kind == "V":
        refuse("wrong_type", f"expected plain numbers or strings in `{key}`, got {dtype}", key)
    if any(type(length) is not int or length < 0 for length in shape):  # True is an int as well
        refuse("truncated_file", f"the header of `{key}` is damaged: the shape {shape}", key)
    return Declared(key, shape, dtype, "F" if is_fortran else "C")
