"""`ktl` is the folder app/client/ktl under another name: it needs nothing that is named `app`, as a
user's own package may be, and little else."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What the installed finder does: the folder, under the name `ktl`
PROGRAM = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
sys.path.insert(0, sys.argv[2])
folder = sys.argv[1]
spec = spec_from_file_location("ktl", f"{folder}/__init__.py", submodule_search_locations=[folder])
sys.modules["ktl"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["ktl"])
from ktl import AsyncClient, Client
import ktl.answers, app
print(app.MINE, Client.__module__, ktl.answers.Job.__name__)
print(*sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[3:])))
"""
HEAVY = ("numpy", "pandas", "polars", "pyarrow", "pydantic", "sqlalchemy", "fastapi", "typer")


def test_it_is_imported_beside_an_app_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("MINE = 'mine'\n")
    folder = str(ROOT / "app" / "client" / "ktl")
    command = [sys.executable, "-I", "-c", PROGRAM, folder, str(tmp_path), *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines() == ["mine ktl._sync.client ApiAnswer", ""]


def test_a_command_line_that_is_not_installed_says_so() -> None:
    program = "import sys; sys.modules['typer'] = None; from app.cli.start import main; main()"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "pip install 'ktl[api]'" in done.stderr
    assert "Traceback" not in done.stderr
