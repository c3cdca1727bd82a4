"""Every network, task and strategy once, by XLA and by the plain loop, on the device that is there.

    python -m benchmarks.every_network [--processes 2] [--slow] [--loops xla,plain] [PART...]

`PART`: of the names of cases, which have all of them.

What is asked of a device for the first time shows here: each case trains on a few made-up items,
twice from the same seed, and a line says which loops computed it, what was noted (a refusal of
XLA's, an operation without a deterministic form), whether both trainings ended with equal bits, and
of networks, how far the packaged graph's answers are from Keras's. `--slow` adds networks for
photos, which compile for minutes on a GPU. Ends with 1 where a case failed.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from worker.machine.gpus import prepare_environment

prepare_environment(os.environ)

import numpy as np  # noqa: E402  after the environment

from benchmarks._small_cases import Case, cases  # noqa: E402
from tests.training.trials import Recorder  # noqa: E402
from worker.machine.device import this_device  # noqa: E402
from worker.packaging import onnx_graph  # noqa: E402
from worker.training import program  # noqa: E402
from worker.training.predict import outputs_of  # noqa: E402
from worker.training.run import train  # noqa: E402


def tried(case: Case, loop: str) -> dict[str, Any]:
    """Trains the case twice by one loop and says what happened."""
    least = 0 if loop == "xla" else 10**9
    program.XLA_FROM_STEPS = dict.fromkeys(program.XLA_FROM_STEPS, least)
    told: dict[str, Any] = {"case": case.name, "wanted": loop}
    began = time.perf_counter()
    try:
        with TemporaryDirectory() as folder:
            *before, setup = case.setups(Path(folder))
            for pretraining in before:
                train(pretraining, Recorder()).save_weights(Path(folder) / "source.npz")
            found = []
            for _ in range(2):
                journal = Recorder()
                network = train(setup, journal)
                found.append([variable.numpy().tobytes() for variable in network.variables])
                told.setdefault("seconds", round(time.perf_counter() - began, 1))
            conditions = journal.conditions[-1]
            told |= {"loops": conditions.loops, "precision": conditions.precision}
            told |= {"notes": conditions.notes, "equal": found[0] == found[1]}
            answers = outputs_of(network, setup.target.validation.items)
            told["finite"] = bool(np.isfinite(answers).all())
            if case.arm == "scratch" and loop == "xla":
                architecture = replace(network.architecture, precision="float32")
                served = program.shared_network(architecture)
                weights = Path(folder) / "trained.npz"
                network.save_weights(weights)
                served.load_weights(weights)
                made = onnx_graph.package(
                    served.raw_model(), case.sample(), Path(folder), case.signature()
                )
                told["package"] = float(made.max_difference)
    except Exception as failure:  # whatever it is, it is what this program looks for
        told["error"] = f"{type(failure).__name__}: {failure}"[:600]
        told["trace"] = traceback.format_exc()[-1500:]
    told["all_seconds"] = round(time.perf_counter() - began, 1)
    return told


def run(job: tuple[Case, str]) -> dict[str, Any]:
    program.forget()
    return tried(*job)


def line(told: dict[str, Any]) -> str:
    if "error" in told:
        return f"ERROR  {told['case']} [{told['wanted']}] {told['error']}\n{told['trace']}"
    loops = "+".join(told["loops"]) or "no steps"
    refused = told["wanted"] == "xla" and "plain" in told["loops"]
    verdict = "ok" if told["finite"] and told["equal"] and not refused else "LOOK"
    package = f" package {told['package']:.1e}" if "package" in told else ""
    bits = "equal" if told["equal"] else "UNEQUAL"
    notes = " ".join(told["notes"])
    return (
        f"{verdict:6} {told['case']} [{told['wanted']}: {loops}, {told['precision']}] "
        f"{told['seconds']} s, bits {bits}, finite {told['finite']}{package} {notes}"
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--loops", default="xla,plain", help="by which they are trained")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    jobs = [
        (case, loop)
        for loop in asked.loops.split(",")
        for case in cases(asked.slow)
        if all(part in case.name for part in asked.names)
    ]
    found, began = [], time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(asked.processes) as pool:
        for told in pool.imap_unordered(run, jobs, chunksize=1):
            found.append(told)
            print(line(told), flush=True)
            if asked.out:
                asked.out.write_text(json.dumps(found))
    failed = [told for told in found if "error" in told]
    seconds = time.perf_counter() - began
    print(f"{this_device().name}: {len(found)} cases, {len(failed)} failed, {seconds:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
