"""Folders of processes that were killed are told from those that are in use."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from app.settings import Settings
from app.usage.work_folder import abandoned, remove, work_folder
from tests.usage.conftest import age

PROGRAM = """
import sys, time
from pathlib import Path
from app.usage.work_folder import work_folder
with work_folder(Path(sys.argv[1]), "uploads") as folder:
    (folder / "0.npz").write_text("what came so far")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_a_killed_processs_folder_is_found_and_a_living_ones_is_not(settings: Settings) -> None:
    cache = settings.cache_dir
    command = [sys.executable, "-c", PROGRAM, str(cache)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    folder = Path(process.stdout.readline().strip())
    age(folder)
    try:
        assert list(abandoned(cache)) == []
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    age(folder)
    assert list(abandoned(cache)) == [folder]
    remove(folder)
    assert not folder.exists()


def test_a_folder_that_is_being_made_is_left_alone(settings: Settings) -> None:
    new = settings.cache_dir / "scratch" / "new"
    new.mkdir(parents=True)
    assert list(abandoned(settings.cache_dir)) == []
    age(new)
    assert list(abandoned(settings.cache_dir)) == [new]


def test_it_is_empty_and_gone_afterwards(settings: Settings) -> None:
    with work_folder(settings.cache_dir, "intake") as folder:
        assert [name for name in os.listdir(folder) if not name.startswith(".")] == []
        (folder / "file").touch()
        age(folder)
        assert list(abandoned(settings.cache_dir)) == []
    assert not folder.exists()
