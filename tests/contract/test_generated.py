"""What is made from the program is what the program would make now."""

from docs.generate.__main__ import ROOT, stale


def test_nothing_that_is_generated_is_stale() -> None:
    found = [str(path.relative_to(ROOT)) for path in stale()]
    assert not found, f"run `make generated`: {', '.join(found)}"
