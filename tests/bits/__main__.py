"""Holds what this checkout trains to against tests/bits/kept.json.

    python -m tests.bits        says what is not as it was
    python -m tests.bits add    also keeps what is not there yet: this kind of machine, new jobs
    python -m tests.bits anew   forgets all, other machines' digests too, and keeps today's

`add` on a machine that is not known: at a commit whose bits are known to be right, before a change
that must not move them. `anew`: only in a commit that means to change what jobs train to, and says
so in the changelog (and raises REVISION in worker/trials/pretraining_key.py where it concerns
pretrainings). A refactoring is never such a commit.
"""

import sys

from tests.bits.jobs import JOBS
from tests.bits.kept import FILE, Kept, train

USAGE = "usage: python -m tests.bits [add | anew]"


def main() -> None:
    match sys.argv[1:]:
        case []:
            kept, writes = Kept.read(), False
        case ["add"]:
            kept, writes = Kept.read(), True
        case ["anew"]:
            kept, writes = Kept(), True
        case _:
            sys.exit(USAGE)
    today = train(JOBS)
    print(f"this machine: {today.machine}")
    if writes:
        new = today.trials.keys() - kept.numbers.keys()
        kept.add(today)
        print(f"{len(new)} new trials")
    found = [*kept.complaints(today), *kept.lost(JOBS, today)]
    if today.machine not in kept.machines:
        print("no digests are kept of this kind of machine; `add` keeps them")
    if found:
        sys.exit("\n".join(found))
    if writes:
        kept.write()
    print(f"{len(today.trials)} trials are as {FILE.name} has them")


if __name__ == "__main__":
    main()
