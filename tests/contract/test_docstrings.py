"""Docstrings of what others call begin with a noun or a verb: they are read alone, in a list."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Words with which a docstring hangs on the name above it
HANGING = re.compile(
    r"(After|Also|As|At|Before|By|For|From|How|If|In|Its|Likewise|None|Of|On|Once|To|What|When|"
    r"Where|Whether|Which|Why|With|Without)\b"
)
Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(node: ast.AST) -> Iterator[Documented]:
    """Classes, and functions that are no function's own, whose names do not begin with one `_`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Documented):
            is_private = child.name.startswith("_") and not child.name.startswith("__")
            if not is_private:
                yield child
                if isinstance(child, ast.ClassDef):
                    yield from public(child)


def test_docstrings_begin_with_a_noun_or_a_verb() -> None:
    found, hanging = 0, []
    for room in ("app", "worker"):
        for file in sorted((ROOT / room).rglob("*.py")):
            for node in public(ast.parse(file.read_text())):
                text = ast.get_docstring(node)
                if text:
                    found += 1
                    if HANGING.match(text):
                        hanging.append(f"{file.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert found > 1000
    assert hanging == []
