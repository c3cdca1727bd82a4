"""A file that is longer than one can keep in mind is split by what its parts mean."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("app", "worker", "tests", "benchmarks", "examples", "migrations")
MOST = 300


def test_no_file_is_longer_than_300_lines() -> None:
    files = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
    lines = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}
    assert len(lines) > 800
    assert {file: count for file, count in lines.items() if count > MOST} == {}
