"""A process whose loop stands still ends itself; one that was only stopped goes on."""

import os
import signal
import subprocess
import sys
import time

import pytest

from app.settings import Settings
from worker.process.watchdog import EXIT_CODE, OLD_SECONDS, LivenessFile

PROGRAM = """
import sys, time
from worker.process.watchdog import Watchdog

watchdog = Watchdog(look_seconds=0.02)
watchdog.start()
for _ in range(int(sys.argv[1])):
    watchdog.turned()
    time.sleep(0.01)
print("stands", flush=True)
time.sleep(60)
"""


def start(turns: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PROGRAM, str(turns)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_a_loop_that_stands_still_ends_its_process() -> None:
    process = start(turns=1)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == EXIT_CODE
    assert b"event_loop_stands_still" in output


@pytest.mark.skipif(os.name != "posix", reason="SIGSTOP is a thing of Unix")
def test_a_process_that_was_stopped_has_not_stood_still() -> None:
    process = start(turns=10**6)
    try:
        time.sleep(0.5)
        process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


def test_a_sign_of_life_grows_old(settings: Settings) -> None:
    sign = LivenessFile(settings)
    assert "is not there" in (sign.complaint() or "")
    sign.give()
    assert sign.complaint() is None
    file = next(settings.run_dir.iterdir())
    long_ago = time.time() - OLD_SECONDS - 5
    os.utime(file, (long_ago, long_ago))
    assert "65 s old" in (sign.complaint() or "")
    sign.withdraw()
    assert sign.complaint()


def test_the_health_check_says_what_is_wrong(settings: Settings) -> None:
    environment = os.environ | {"KTL_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-m", "worker", "health"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert b"which a running worker touches" in done.stderr
    LivenessFile(settings).give()
    assert subprocess.run(command, env=environment, check=False, timeout=60).returncode == 0
