"""An encoder of strangers tried in a process of its own, which may take so much memory and time and
no more: `python -m worker.backbones.encoders.trial FOLDER`.

The folder's files are held against each other and a few sentences are encoded, as `folder.checked`
does it. What a graph or a tokenizer does to that process is its end, not the worker's.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from pydantic import BaseModel

from app.errors import WorkFailure
from app.inputs.encoders import EncoderFacts
from worker.backbones.encoders.folder import SENTENCES, Folder, checked
from worker.backbones.encoders.refusing import refused
from worker.backbones.encoders.running import Encoder

OUTCOME = "outcome.json"
MEMORY_BYTES, GRAPH_COPIES = 4 * 2**30, 4  # address space; ONNX Runtime's own copies among it
CPU_SECONDS = 300
WALL_SECONDS = 900.0  # of a loaded machine
LONGEST_PAUSE = 30  # seconds after which the kernel ends what does not heed the first signal


class Outcome(BaseModel):
    """Finding of a trial. `refusal`: why the encoder is none; else its facts."""

    refusal: str | None = None
    facts: EncoderFacts | None = None
    seconds_per_token: float = 0.0  # of one core


def tried(folder: Folder) -> Outcome:
    """Raises WorkFailure `encoder_refused`."""
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, str(folder.path)]
    try:
        ended = subprocess.run(  # noqa: S603  the command is ours
            command, capture_output=True, timeout=WALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _unfinished("did not end in time") from error
    outcome = folder.path / OUTCOME
    if ended.returncode or not outcome.is_file():
        raise _unfinished(f"ended it ({ended.returncode})")
    found = Outcome.model_validate_json(outcome.read_bytes())
    if found.facts is None:
        raise refused(found.refusal or "expected an encoder, got none")
    return found


def _unfinished(what: str) -> WorkFailure:
    return refused(
        f"expected an encoder that can be tried with {MEMORY_BYTES >> 30} GiB of memory and "
        f"{CPU_SECONDS} s of one core, got one that {what}"
    )


def _limit(folder: Folder) -> None:
    size = folder.graph.stat().st_size if folder.graph.is_file() else 0
    memory = MEMORY_BYTES + GRAPH_COPIES * size
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + LONGEST_PAUSE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _found(folder: Folder) -> Outcome:
    try:
        facts = checked(folder)
    except WorkFailure as failure:
        return Outcome(refusal=failure.detail)
    encoder = Encoder.load(folder.graph.read_bytes(), folder.tokenizer.read_bytes(), facts)
    tokens = sum(len(encoder.tokeniser.ids_of(each)) for each in SENTENCES)
    begun = time.process_time()
    encoder.features(SENTENCES)
    return Outcome(facts=facts, seconds_per_token=(time.process_time() - begun) / tokens)


def main() -> None:
    folder = Folder(Path(sys.argv[1]))
    _limit(folder)
    try:
        outcome = _found(folder)
    except MemoryError:
        outcome = Outcome(refusal=_unfinished("took more").detail)
    content = outcome.model_dump(mode="json")
    (folder.path / OUTCOME).write_text(json.dumps(content, ensure_ascii=False))


if __name__ == "__main__":
    main()
