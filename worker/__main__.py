"""`python -m worker`: the training side, one process tree a machine."""

from worker.celery_app import application

ARGUMENTS = [
    "worker",
    "--pool=prefork",
    "--queues=ktl",
    "--without-gossip",
    "--without-mingle",
    "--loglevel=WARNING",
]

if __name__ == "__main__":
    application.worker_main(ARGUMENTS)
