from pathlib import Path


def files(root: Path) -> dict[Path, str]:
    return {}
