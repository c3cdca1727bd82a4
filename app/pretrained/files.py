"""Places of files of pretrained weights on this machine: looked for, never read here.

No package is imported for it, and no framework: whoever asks for the catalogue asks an API.
"""

from hashlib import file_digest
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Literal

from app.spec.pretrained import Pretrained

# `installed`: in a Python package; `cached`: fetched to the data folder; `downloadable`: it can be
# fetched; `missing`: neither, and the package that carries it is not installed.
Availability = Literal["installed", "cached", "downloadable", "missing"]


def place_of(weights: Pretrained, cache_dir: Path) -> Path | None:
    """Returns where the file would stand; None where its package is not installed."""
    if weights.origin != "package":
        return cache_dir / "downloads" / weights.file
    spec = PathFinder.find_spec(weights.module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / weights.file


def located(weights: Pretrained, cache_dir: Path) -> Path | None:
    """The file, where there is one of its size; whoever reads it looks whether it `is_whole`."""
    place = place_of(weights, cache_dir)
    if place is None or not place.is_file():
        return None
    return place if weights.bytes in {None, place.stat().st_size} else None


def is_whole(weights: Pretrained, file: Path) -> bool:
    """Reads the file and compares its digest."""
    with file.open("rb") as stored:
        return (
            file_digest(stored, "sha256" if weights.sha256 else "md5").hexdigest() == weights.digest
        )


def availability(weights: Pretrained, cache_dir: Path, is_offline: bool) -> Availability:
    if located(weights, cache_dir):
        return "installed" if weights.origin == "package" else "cached"
    return "missing" if weights.origin == "package" or is_offline else "downloadable"
