"""`python -m worker`: the training side, one process tree a machine.

`python -m worker health` ends with 0 where one runs on this machine and is well.
"""

import gc
import os
import sys
import warnings

from celery.platforms import SecurityWarning

from app.logs import configure_logs
from app.settings import Settings
from worker.machine.compile_cache import keep_compiled_programs
from worker.machine.cuda_noise import without_cuda_noise
from worker.machine.gpus import prepare_environment
from worker.process.watchdog import LivenessFile

if sys.argv[1:] == ["health"]:
    sys.exit(LivenessFile(Settings()).complaint())

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # all are read when TensorFlow is imported
keep_compiled_programs(Settings().cache_dir)
prepare_environment(os.environ)

gc.disable()  # it looked through TensorFlow again and again, a quarter of the worker's start
with without_cuda_noise():
    from worker.process.celery_app import application  # after the environment

gc.freeze()  # what is imported stays, and children share it untouched
gc.enable()

ARGUMENTS = [
    "--quiet",
    "worker",
    "--pool=prefork",
    "--queues=ktl",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
    "--loglevel=ERROR",
]

if __name__ == "__main__":
    configure_logs()
    # Celery warns of root because pickled messages could run code as root; ours are JSON.
    warnings.simplefilter("ignore", SecurityWarning)
    application.worker_main(ARGUMENTS)
