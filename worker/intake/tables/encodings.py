"""Text of unknown encoding -> a UTF-8 file. One encoding a file: what it is gets said, and a file
that mixes two is refused with the line.

A mark at the start decides. Else what is valid UTF-8 throughout is UTF-8; what has a NUL in nearly
every other byte is UTF-16; and what is valid GB18030 with nearly all of its characters written in
two bytes beyond ASCII, as Chinese text is, is GB18030, unless it may be Korean or Japanese as well.
Anything else has to be said: single-byte encodings cannot be told apart.
"""

import codecs
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from worker.intake.raw import CHUNK_BYTES, IntakeLimits, RawFile, damage_refused, refuse
from worker.intake.sizes import FREE_BYTES, RATIO, SETTING

GZIP = b"\x1f\x8b"
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
NO_FILES = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"}
PROVING = 4  # characters beyond ASCII, so many of which a line holds as UTF-8 by no accident
CHINESE_FROM = 0.9  # of the characters beyond ASCII, written in two bytes beyond ASCII each
KANA_FROM = 0.1  # kana for each Chinese character
LAST_OF_KOREAN = 0xC8  # first byte of its syllables
FIRST_OF_RARE = 0xD8  # first byte of Chinese characters that are seldom written
RARE_FROM = 0.3  # of the different ones
NULS_FROM = 0.4  # of the even, or of the odd bytes
SAYING = '`csv`: {"encoding": …} in the spec says what it is, as "cp1252" or "gb18030"'


@dataclass(frozen=True)
class PlainText:
    """path: UTF-8 without a mark, or with one. found: a sentence."""

    path: Path
    encoding: str
    found: str


def plain_text(file: RawFile, said: str | None, limits: IntakeLimits, workdir: Path) -> PlainText:
    """Uncompresses and decodes, a megabyte at a time. Raises WorkFailure `dataset_invalid`."""
    path = _inflated(file, limits, workdir)
    if not path.stat().st_size:
        refuse("empty_file", f"expected a line of names and rows in `{file.name}`, got no bytes")
    encoding, why = (_known(said, file.name), "the spec says so") if said else _found(file, path)
    found = f"`{file.name}` was read as {encoding}: {why}."
    if encoding in {"utf-8", "utf-8-sig"}:
        if said:
            _check(path, encoding, file.name)
        return PlainText(path, encoding, found)
    target = workdir / f"{path.name}.utf8"
    with target.open("w", encoding="utf-8", newline="") as output:
        for text in _decoded(path, encoding, file.name):
            output.write(text)
    return PlainText(target, encoding, found)


def _inflated(file: RawFile, limits: IntakeLimits, workdir: Path) -> Path:
    with file.path.open("rb") as stream:
        if stream.read(2) != GZIP:
            _check_size(file, file.path.stat().st_size, limits)
            return file.path
    packed = file.path.stat().st_size
    most = max(FREE_BYTES, RATIO * packed)
    target, size = workdir / f"{file.path.name}.plain", 0
    with damage_refused(file.name), gzip.open(file.path) as stream, target.open("wb") as output:
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
            _check_size(file, size, limits)
            if size > most:
                detail = (
                    f"expected a file that grows at most {RATIO} times when it is inflated, got "
                    f"more in `{file.name}`: upload it uncompressed"
                )
                refuse("too_large", detail, file.name)
            output.write(chunk)
    return target


def _check_size(file: RawFile, size: int, limits: IntakeLimits) -> None:
    if size > limits.bytes:
        detail = (
            f"expected at most {limits.bytes} bytes of text in `{file.name}`, got more: upload "
            f"fewer rows or columns, or raise {SETTING} where the service runs"
        )
        refuse("too_large", detail, file.name)


def _known(said: str, name: str) -> str:
    try:
        info = codecs.lookup(said)
    except LookupError:
        info = None
    is_text = info is not None and getattr(info, "_is_text_encoding", True)
    if info is None or not is_text or info.name.replace("_", "-") in NO_FILES:
        detail = f"expected an encoding of text in `csv`, got one that is not known, for `{name}`"
        refuse("unknown_encoding", detail)
    return "utf-8" if info.name == "utf-8-sig" else info.name


def _found(file: RawFile, path: Path) -> tuple[str, str]:
    with path.open("rb") as stream:
        head = stream.read(CHUNK_BYTES)
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            _check(path, encoding, file.name)
            return encoding, "it begins with that encoding's mark"
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = head[start::2]
        if half and half.count(0) >= NULS_FROM * len(half) and not head[1 - start :: 2].count(0):
            _check(path, encoding, file.name)
            return encoding, "nearly every other byte is NUL"
    if _first_fault(path, "utf-8") is None:
        return "utf-8", "all of it is valid UTF-8"
    return _other_than_utf8(file, path)


def _other_than_utf8(file: RawFile, path: Path) -> tuple[str, str]:
    lines = _FirstLines.of(path)
    if lines.utf8 is not None:
        line, other = (
            (lines.not_utf8, "UTF-8") if lines.not_utf8 > lines.utf8 else (lines.utf8, "another")
        )
        earlier = min(lines.utf8, lines.not_utf8)
        detail = (
            f"expected one encoding throughout `{file.name}`, got UTF-8 and another: line {line} "
            f"is not in {'UTF-8, as line' if other == 'UTF-8' else 'the encoding of line'} "
            f"{earlier} is; write the whole file in UTF-8"
        )
        refuse("mixed_encodings", detail, file.name)
    if lines.is_chinese and _first_fault(path, "gb18030") is None:
        if (likely := _other_than_chinese(path)) is not None:
            detail = (
                f"expected text in one known encoding in `{file.name}`, got such as may be Chinese "
                f'in GB18030 or {likely}: `csv`: {{"encoding": …}} in the spec says which, as '
                f'"gb18030" or {likely.rpartition(" ")[2]}; or write the file in UTF-8'
            )
            refuse("unknown_encoding", detail, file.name)
        return "gb18030", "it is not UTF-8, but valid GB18030 that reads as Chinese text"
    detail = (
        f"expected text in UTF-8, UTF-16 or GB18030 in `{file.name}`, got line {lines.not_utf8} "
        f"in another encoding; write the file in UTF-8, or {SAYING}"
    )
    refuse("unknown_encoding", detail, file.name)


@dataclass(frozen=True)
class _FirstLines:
    """The first line that is surely UTF-8 beyond ASCII, the first that is none; counted from 1."""

    utf8: int | None
    not_utf8: int
    is_chinese: bool

    @classmethod
    def of(cls, path: Path) -> "_FirstLines":
        first_utf8, first_other = None, None
        paired = alone = 0
        with path.open("rb") as stream:
            for number, line in enumerate(_short_lines(stream), 1):
                if line.isascii():
                    continue
                try:
                    text = line.decode()
                except UnicodeDecodeError:
                    first_other = first_other or number
                    runs = _runs(line)
                    paired += sum(length // 2 for length in runs)
                    alone += sum(length % 2 for length in runs)
                else:
                    if sum(not letter.isascii() for letter in text) >= PROVING:
                        first_utf8 = first_utf8 or number
        is_chinese = paired >= CHINESE_FROM * (paired + alone)
        return cls(first_utf8, first_other or 1, is_chinese)


def _other_than_chinese(path: Path) -> str | None:
    """What text that is valid GB18030 may be as well: all Korean text is, Japanese text of EUC-JP,
    and words of an even number of Cyrillic or Greek letters. Chinese has characters behind those
    that Korean syllables look like, unless it has few; hardly any kana, and few rare ones."""
    letters = set[str]()
    for text in _decoded(path, "gb18030", path.name):
        letters.update(text)
    kana = {letter for letter in letters if "\u3041" <= letter <= "\u30ff"}
    chinese = {letter for letter in letters if "\u4e00" <= letter <= "\u9fff"}
    if len(kana) > KANA_FROM * len(chinese):
        return 'Japanese in "euc_jp"'
    first = [letter.encode("gb18030")[0] for letter in chinese]
    if all(byte <= LAST_OF_KOREAN for byte in first):
        return 'Korean in "cp949"'
    if sum(byte >= FIRST_OF_RARE for byte in first) > RARE_FROM * len(first):
        return 'Russian in "cp1251"'
    return None


def _short_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines; one that is longer than a megabyte is cut."""
    while line := stream.readline(CHUNK_BYTES):
        yield line


def _runs(line: bytes) -> list[int]:
    """Lengths of the stretches of bytes beyond ASCII."""
    marked = bytes(32 if byte < 128 else 120 for byte in line)
    return [len(run) for run in marked.split()]


def _first_fault(path: Path, encoding: str) -> int | None:
    """The line, counted from 1, of the first bytes that are none of the encoding's text."""
    if _is_text(path, encoding):
        return None
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as stream:
        while True:
            chunk = stream.read(CHUNK_BYTES)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as fault:
                before = fault.object[: fault.start]
                return line + before.decode(encoding, errors="replace").count("\n")


def _is_text(path: Path, encoding: str) -> bool:
    decoder, holds_ascii = codecs.getincrementaldecoder(encoding)(), encoding == "utf-8"
    with path.open("rb") as stream:
        try:
            is_between = True  # two characters
            while chunk := stream.read(CHUNK_BYTES):
                if is_between and holds_ascii and chunk.isascii():
                    continue  # twenty times as fast
                decoder.decode(chunk)
                is_between = not decoder.getstate()[0]
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _check(path: Path, encoding: str, name: str) -> None:
    line = _first_fault(path, encoding)
    if line is not None:
        detail = (
            f"expected {encoding} throughout `{name}`, got line {line} that is not; write the "
            f"whole file in one encoding, or {SAYING}"
        )
        refuse("mixed_encodings", detail, name)


def _decoded(path: Path, encoding: str, name: str) -> Iterator[str]:
    _check(path, encoding, name)
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)
