"""Names in archives: bytes of an encoding that often nobody says -> paths inside a folder."""

import re
from collections.abc import Collection, Sequence
from unicodedata import normalize

from worker.intake.raw import NAME_CHARACTERS, refuse

Path = tuple[str, ...]

SEPARATORS = re.compile(r"[\\/]")
DRIVE = re.compile(r"[A-Za-z]:")
DOS = "cp437"  # what a zip's names are in by its specification, unless a flag says UTF-8
CHINESE = "gb18030"  # what Windows in Chinese writes instead; GBK is a part of it
COMMON_SHARE = 0.8  # of characters beyond ASCII that are among GB 2312's, of a name in Chinese
SHOWN_CHARACTERS = 80
PATH_CHARACTERS = 500
MOST_NAMED = 20


def encoding_of(names: Collection[bytes]) -> str:
    """The one encoding of all names of an archive that does not say it: UTF-8 where all are valid
    UTF-8, else GB 18030 where all are valid and hold common Chinese characters, else CP437."""
    for encoding in ("utf-8", CHINESE):
        try:
            texts = [name.decode(encoding) for name in names]
        except UnicodeDecodeError:
            continue
        if encoding != CHINESE or _is_chinese("".join(texts)):
            return encoding
    return DOS


def _is_chinese(text: str) -> bool:
    beyond = [letter for letter in text if not letter.isascii()]
    common = [letter for letter in beyond if letter.encode("gb2312", "ignore")]
    return len(common) >= COMMON_SHARE * len(beyond)


def path_of(name: str, archive: str) -> Path:
    """The folders and the file, in Unicode's composed form (NFC). Both slashes part them, as
    Windows writes either. Raises WorkFailure `unsafe_path` where the name leaves the folder."""
    shown = name[:SHOWN_CHARACTERS]
    if SEPARATORS.match(name) or DRIVE.match(name):
        _refuse_unsafe(shown, "which is absolute", archive)
    parts = [part for part in SEPARATORS.split(name) if part not in {"", "."}]
    if ".." in parts:
        _refuse_unsafe(shown, "which leaves the folder", archive)
    if len(name) > PATH_CHARACTERS or any(len(part) > NAME_CHARACTERS for part in parts):
        detail = (
            f"expected names of at most {NAME_CHARACTERS} characters, and of {PATH_CHARACTERS} "
            f"with all folders, in `{archive}`, got one that begins with `{shown}`"
        )
        refuse("name_too_long", detail, archive)
    return tuple(normalize("NFC", part) for part in parts)


def _refuse_unsafe(shown: str, what: str, archive: str) -> None:
    detail = f"expected names inside of the folder in `{archive}`, got `{shown}`, {what}"
    refuse("unsafe_path", detail, archive)


def refuse_special(path: Path, what: str, archive: str) -> None:
    detail = (
        f"expected files and folders alone in `{archive}`, got {what} `{spoken(path)}`: put the "
        "file itself in its place"
    )
    refuse("unsafe_path", detail, archive)


def spoken(path: Sequence[str]) -> str:
    return "/".join(path)


def listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(f"`{name}`" for name in names[:MOST_NAMED]) + more
