"""Statements of SQL are written where ARCHITECTURE.md says, and nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
STATEMENTS = {"select", "insert", "update", "delete", "text", "exists"}
REPOSITORIES = {"repository.py", "epoch_repository.py"}
OTHERS = {
    "app/health.py",  # whether the schema stands
    "app/idempotency.py",
    "app/jobs/events.py",
    "app/jobs/lifecycle.py",
    "app/jobs/recovery.py",
    "app/jobs/trial_rows.py",
    "app/jobs/turn_order.py",
    "app/jobs/work.py",
    "app/leases.py",
    "app/migrate.py",
    "app/naming.py",
}


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] == "sqlalchemy":
                yield from (each.name for each in node.names)
            case ast.Import() if any(each.name == "sqlalchemy" for each in node.names):
                yield "*"  # all of it: which statements are written is not seen


def test_statements_stand_in_repositories_and_a_few_files_more() -> None:
    files = [file for room in ("app", "worker") for file in (ROOT / room).rglob("*.py")]
    writing = {file for file in files if {*_imported(file)} & {*STATEMENTS, "*"}}
    found = {str(file.relative_to(ROOT)) for file in writing if file.name not in REPOSITORIES}
    assert found == OTHERS
