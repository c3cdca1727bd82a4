"""Other files in archives of pictures: known by name alone, counted and never refused."""

from pathlib import PurePath

from worker.intake.pictures.names import Path

SYSTEM_FILES = {
    "thumbs.db": "Thumbs.db",
    "ehthumbs.db": "Thumbs.db",
    "desktop.ini": "desktop.ini",
}
FOLDERS = {
    "__macosx": "__MACOSX",
    ".ds_store": ".DS_Store",
    ".ipynb_checkpoints": ".ipynb_checkpoints",
}
TEXT_NAMES = {
    *("readme", "license", "licence", "copying", "notice", "authors", "changelog", "changes"),
    *("citation", "contributing", "makefile", "todo"),
}
ENDINGS = {
    "texts": {"txt", "md", "rst", "rtf", "pdf", "doc", "docx", "html", "htm", "tex", "log", "bib"},
    "tables and annotations": {
        *("csv", "tsv", "json", "jsonl", "xml", "yaml", "yml", "xls", "xlsx", "ods", "parquet"),
        *("sqlite", "db", "npy", "npz", "mat", "h5", "pkl", "toml", "ini", "cfg"),
    },
    "programs": {"py", "ipynb", "sh", "r", "m", "bat"},
    "videos and sounds": {"mp4", "mov", "avi", "mkv", "webm", "3gp", "m4v", "wav", "mp3", "m4a"},
    "side files of phones and cameras": {"aae", "xmp", "thm", "lrv"},
}
KIND_OF_ENDING = {ending: kind for kind, endings in ENDINGS.items() for ending in endings}
SAID = {"tables and annotations", "videos and sounds"}  # that a user may have meant to be read


def kind_of(path: Path, is_folder: bool) -> str | None:
    """Returns what a file or a folder counts as; None for a picture and for a plain folder."""
    folded = [part.casefold() for part in path]
    last = folded[-1]
    for part in folded:
        if part in FOLDERS:
            return FOLDERS[part]
    if last.startswith("._"):
        return "._*"
    if any(part.startswith(".") for part in folded):
        return "hidden files"
    return SYSTEM_FILES.get(last) or (None if is_folder else _of_ending(last))


def _of_ending(name: str) -> str | None:
    file = PurePath(name)
    ending = file.suffix.lstrip(".")
    if file.stem in TEXT_NAMES and ending in {"", *ENDINGS["texts"]}:
        return "texts"
    return KIND_OF_ENDING.get(ending)
