"""Folders of processes that were killed are told from those that are in use."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from app.settings import Settings
from app.storage import FOLDERS
from app.usage.inventory import Inventory
from app.usage.work_folder import KINDS, abandoned, remove, work_folder
from tests.usage.conftest import age

PROGRAM = """
import sys, time
from pathlib import Path
from app.usage.work_folder import work_folder
with work_folder(Path(sys.argv[1]), "incoming") as folder:
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


def test_what_comes_in_for_long_is_no_stale_copy_of_the_store(settings: Settings) -> None:
    """Copies of S3's files stand in the cache under the names of the store's folders."""
    assert not set(KINDS) & set(FOLDERS)
    for kind in KINDS:
        with work_folder(settings.cache_dir, kind) as folder:
            (folder / "0.npz").touch()
            inventory = Inventory(settings.storage, settings.cache_dir)
            assert inventory.copies((), before=time.time() + 60) == []


def test_folders_of_earlier_releases_are_found(settings: Settings) -> None:
    old, copy = (settings.cache_dir / "uploads" / name for name in ("tmpabc", "0123.npz"))
    old.mkdir(parents=True)
    copy.touch()
    age(old)
    age(copy)
    assert list(abandoned(settings.cache_dir)) == [old]


def test_it_is_empty_and_gone_afterwards(settings: Settings) -> None:
    with work_folder(settings.cache_dir, "intake") as folder:
        assert [name for name in os.listdir(folder) if not name.startswith(".")] == []
        (folder / "file").touch()
        age(folder)
        assert list(abandoned(settings.cache_dir)) == []
    assert not folder.exists()
