"""A CSV file of a million rows through the whole intake, beside pandas.read_csv.

    python -m benchmarks.columns        (1,000,000 rows x 20 columns), or a number of rows

Twelve columns of numbers with six digits, four of whole numbers, two categories, a date and a label
of two classes, drawn with seed 0. The intake does far more than pandas: it finds out encoding,
dialect and kinds, splits, fits, stores arrays and typed rows, and profiles; `reading` is of it what
pandas does: a file to columns, of each its kind and its values. Seconds, and the processor's, are
the median of three processes each, taking turns, without imports; memory is what the process took
at most beyond what it had before (VmHWM, mapped files included). Two minutes on 2 cores.
"""

import json
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np

ROWS, ROUNDS = 1_000_000, 3
CITIES = np.array(["Lima", "Oslo", "Rome", "Nairobi", "Chengdu"])
STEP = 50_000
WHAT = ("seconds", "processor", "mib")


def main() -> None:
    if len(sys.argv) > 2:
        print(json.dumps(measured(sys.argv[1], Path(sys.argv[2]))))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        path = Path(folder) / "table.csv"
        write(path, rows)
        print(f"{rows} rows, {path.stat().st_size / 2**20:.0f} MiB")
        found: dict[str, list[dict[str, float]]] = {"pandas": [], "reading": [], "intake": []}
        for _ in range(ROUNDS):
            for way, held in found.items():
                command = [sys.executable, "-m", "benchmarks.columns", way, str(path)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                held.append(json.loads(done.stdout.splitlines()[-1]))
    figures = {
        f"{way}_{what}": median(each[what] for each in held)
        for way, held in found.items()
        for what in WHAT
    }
    for name, value in figures.items():
        print(f"{name:>18} {value:.2f}")
    ratios = {
        f"{way}_{what}": round(figures[f"{way}_{what}"] / figures[f"pandas_{what}"], 2)
        for way in ("reading", "intake")
        for what in WHAT
    }
    for name, ratio in ratios.items():
        print(f"{name:>18} {ratio:.2f} times pandas")
    print(json.dumps({"benchmark": "columns", "ratios": ratios, "figures": figures}))


def write(path: Path, rows: int) -> None:
    rng = np.random.default_rng(0)
    names = [f"x{place}" for place in range(12)] + [f"n{place}" for place in range(4)]
    with path.open("w") as output:
        output.write(",".join([*names, "city", "ward", "since", "label"]) + "\n")
        for start in range(0, rows, STEP):
            count = min(STEP, rows - start)
            columns = [np.char.mod("%.6g", rng.normal(0, 100, count)) for _ in range(12)]
            columns += [np.char.mod("%d", rng.integers(0, 1000, count)) for _ in range(4)]
            columns += [rng.choice(CITIES, count), np.char.mod("w%d", rng.integers(0, 99, count))]
            days = np.datetime64("2020-01-01") + rng.integers(0, 2000, count)
            columns += [days.astype(str), rng.choice(np.array(["ill", "well"]), count)]
            lines = columns[0]
            for column in columns[1:]:
                lines = np.char.add(np.char.add(lines, ","), column)
            output.write("\n".join(lines) + "\n")


def measured(way: str, path: Path) -> dict[str, float]:
    """Of this process, which does nothing else."""
    do = {"pandas": by_pandas, "reading": by_reading, "intake": by_intake}[way]
    with tempfile.TemporaryDirectory(prefix="ktl-") as folder:
        few, place = Path(folder) / "few.csv", Path(folder) / "few"
        place.mkdir()
        with path.open() as lines:
            few.write_text("".join(islice(lines, 1_000)))
        do(few, place)  # what is imported at first use is imported
        before, spent, start = memory("VmRSS"), time.process_time(), time.perf_counter()
        do(path, Path(folder))
        return {
            "seconds": time.perf_counter() - start,
            "processor": time.process_time() - spent,
            "mib": memory("VmHWM") - before,
        }


def by_pandas(path: Path, folder: Path) -> None:
    import pandas as pd

    pd.read_csv(path)


def by_reading(path: Path, folder: Path) -> None:
    """The file as columns on disk, and of each its kind and its values."""
    from app.datasets.schemas import DatasetSpec
    from worker.intake import formats
    from worker.intake.raw import IntakeLimits, RawFile
    from worker.intake.tables.kinds import infer
    from worker.intake.tables.readings import Reading
    from worker.intake.tables.records import Records

    spec, limits = DatasetSpec(name="table"), IntakeLimits(items=10**8, bytes=2**34)
    records = formats.read([RawFile(path.name, path)], spec, limits, folder)
    assert isinstance(records, Records)
    for name in records.train.names:
        infer(name, records.column(name), Reading(decimal=records.decimal))


def by_intake(path: Path, folder: Path) -> None:
    from app.datasets.schemas import DatasetSpec
    from worker.intake.ingestion import ingest_upload
    from worker.intake.raw import IntakeLimits, RawFile

    spec, limits = DatasetSpec(name="table"), IntakeLimits(items=10**8, bytes=2**34)
    ingest_upload([RawFile(path.name, path)], spec, limits, folder)


def memory(field: str) -> float:
    """MiB, as Linux counts it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"expected {field} in /proc/self/status")


if __name__ == "__main__":
    main()
