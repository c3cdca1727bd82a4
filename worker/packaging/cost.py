"""What an ensemble's graph takes, beside that of one of its networks."""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from app.prediction.feeds import Prepare, feed_of
from app.spec.ensemble_report import EnsembleCost
from app.tensors import Tensors
from worker.packaging.golden import named

TRIES = 20  # of which the quickest counts: the machine may be busy with other work

Feed = Mapping[str, npt.NDArray[Any]]


def cost_of(
    graph: Path,
    golden: Path,
    prepare: Prepare | None,
    heads: tuple[Path, Path],
    given: Callable[[Tensors], Feed],
) -> EnsembleCost:
    """Measures one golden item's prediction, on one thread, as it is served.

    Args:
        graph: as it is served. Where it begins with a frozen encoder, which is counted for both.
        heads: the ensemble's graph without such an encoder, and that of one member.
        given: the golden item as `graph` takes it -> as `heads` do.
    """
    session = _session(graph)
    feed = feed_of(session, prepare)
    with np.load(golden, allow_pickle=False) as stored:
        item = feed.read(stored)[:1]
    whole = _milliseconds(lambda: feed.run(session, item))
    fed = dict(given(named(item)))
    apart = []
    for path in heads:
        runtime = _session(path)
        apart.append(_milliseconds(lambda: runtime.run(None, fed)))  # noqa: B023  # called at once
    size, own = graph.stat().st_size, [path.stat().st_size for path in heads]
    return EnsembleCost(
        bytes=size,
        single_bytes=size - own[0] + own[1],
        milliseconds=whole,
        single_milliseconds=max(apart[1], whole - apart[0] + apart[1]),
    )


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _milliseconds(run: Callable[[], object]) -> float:
    found = []
    for _ in range(TRIES):
        started = perf_counter()
        run()
        found.append(perf_counter() - started)
    return 1000 * min(found)
