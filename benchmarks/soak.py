"""Whether the API's and the worker's memory stays flat under fuzzed predictions and uploads.

`python -m benchmarks.soak [MINUTES] [SEED]` (10; random and printed): `ktl up` in a temporary
folder, and four clients on loopback. Three ask for predictions: valid ones, wrong shapes, values
that are no numbers, large and too large bodies, requests that are half sent, and valid ones with
random bytes changed. One uploads small files, valid and broken, waits for their intake and deletes
them. Memory is the least of each 15 seconds, so that a large body under way is none; its slope is
the median of the slopes between all of them (Theil and Sen) after the first minute. Ends with 1
where a slope is above what is wanted, or where the API answered 5xx other than 503.
"""

import io
import json
import random
import secrets
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
from scipy.stats import theilslopes

from app.client import ApiError, Client
from tests.system.service import Service, images, job_spec, running, wait_for

JSON, NPY = "application/json", "application/x-npy"
PREDICT = "/v1/deployments/patterns/predict"
SIDE, LARGE_ITEMS, TOO_LARGE_BYTES = 8, 5_000, 70 * 2**20
WARM_SECONDS, WINDOW_SECONDS = 60.0, 15.0
WANTED_MB_PER_MINUTE = {"api": 1.0, "worker": 2.0}
SERVER_ERRORS = {str(status) for status in range(500, 600)} - {"503"}
Body = tuple[str, bytes]  # media type and content
Dice = random.Random


@dataclass
class Soak:
    """What is shared by the clients: where to ask, what was answered, when to stop."""

    service: Service
    ends: float
    answers: Counter[str] = field(default_factory=Counter)
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.service.client.url

    def count(self, what: str, response: httpx.Response) -> httpx.Response:
        self.answers[f"{what} {response.status_code}"] += 1
        return response

    def is_on(self) -> bool:
        return time.monotonic() < self.ends


# Bodies of predictions


def valid(dice: Dice) -> Body:
    items = np.array(dice.choices(range(256), k=SIDE * SIDE * dice.choice([1, 1, 5])), np.uint8)
    array = items.reshape(-1, SIDE, SIDE)
    return (NPY, npy(array)) if dice.random() < 0.5 else (JSON, inputs(array.tolist()))


def wrong(dice: Dice) -> Body:
    """Readable, and not what the model takes."""
    shape = [dice.choice([0, 1, 3, 8, 9]) for _ in range(dice.randrange(5))]
    kind = dice.choice(["u1", "f8", "i8", "?", "U3", "c16", "M8[s]", "f2"])
    return dice.choice(
        [
            (JSON, inputs(np.zeros(shape).tolist())),
            (NPY, npy(np.zeros(shape, kind))),
            (NPY, npy(np.full((1, SIDE, SIDE), np.nan))),
            (JSON, inputs([[[dice.choice(["a", None, 1e308, 10**30, True])] * SIDE] * SIDE])),
            (JSON, b'{"inputs": ' + dice.choice([b"NaN", b"1e999", b"-Infinity"]) + b"}"),
            (JSON, inputs([[]] * dice.randrange(1000), top_k=dice.choice([-1, 10**20, "x"]))),
            (JSON, b"[" * dice.randrange(100_000)),
            (dice.choice(["text/csv", "multipart/form-data", "x" * 5000]), b"1,2"),
        ]
    )


def large(dice: Dice) -> Body:
    array = np.zeros((LARGE_ITEMS, SIDE, SIDE), np.uint8)
    bodies = [inputs(array.tolist()), inputs([[]] * LARGE_ITEMS * 20), b" " * TOO_LARGE_BYTES]
    return JSON, dice.choice(bodies)


def changed(dice: Dice) -> Body:
    media, content = valid(dice)
    return media, garbled(content, dice)


def garbled(content: bytes, dice: Dice) -> bytes:
    """Some bytes are changed, cut out or repeated."""
    body = bytearray(content)
    for _ in range(dice.choice([1, 1, 3, 20])):
        start = dice.randrange(len(body) or 1)
        stop = start + dice.choice([1, 2, 8, 200])
        body[start:stop] = dice.choice([b"", dice.randbytes(stop - start), body[start:stop] * 2])
    return bytes(body)


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def inputs(value: Any, **more: Any) -> bytes:
    return json.dumps({"inputs": value, **more}).encode()


# Clients

BODIES: list[Callable[[Dice], Body]] = [*[valid] * 8, *[wrong] * 6, *[changed] * 6, large]


def predict(soak: Soak, dice: Dice) -> None:
    with httpx.Client(base_url=soak.url, timeout=60, trust_env=False) as http:
        while soak.is_on():
            if dice.random() < 0.05:
                half_send(soak, dice)
                continue
            make = dice.choice(BODIES)
            media, content = make(dice)
            with suppress(httpx.TransportError):  # it may hang up on what is too large
                headers = {"Content-Type": media}
                soak.count(make.__name__, http.post(PREDICT, content=content, headers=headers))


def half_send(soak: Soak, dice: Dice) -> None:
    """A request that ends before its body does, or before its head."""
    media, content = valid(dice)
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: ktl\r\nContent-Type: {media}\r\n"
    request = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
    where = urlsplit(soak.url)
    with socket.create_connection((where.hostname, where.port), timeout=5) as connection:
        connection.sendall(request[: dice.randrange(1, len(request))])
        time.sleep(dice.choice([0, 0, 0.5]))
    soak.answers["half sent"] += 1


def upload(soak: Soak, dice: Dice) -> None:
    with httpx.Client(base_url=soak.url, timeout=60, trust_env=False) as http:
        while soak.is_on():
            content = images(classes=3, per_class=8, seed=dice.randrange(100), side=SIDE)
            is_broken = dice.random() < 0.5
            if is_broken:
                content = garbled(content, dice)
            name = dice.choice(["a.npz", "b.npz", "c.zip", "d.csv", "e.npy", "../f.npz"])
            spec = json.dumps({"name": name if dice.random() < 0.9 else "x" * 10_000})
            form: dict[str, Any] = {"data": {"spec": spec}, "files": {"file": (name, content)}}
            with suppress(httpx.TransportError):
                answer = http.post("/v1/datasets", **form)
                soak.count("broken upload" if is_broken else "upload", answer)
                if answer.status_code == 202:
                    follow(soak, http, answer.json()["id"])


def follow(soak: Soak, http: httpx.Client, dataset: str) -> None:
    """Waits until the dataset has been taken in or refused, and deletes it."""
    path = f"/v1/datasets/{dataset}"
    while soak.is_on():
        found = http.get(path)
        if (status := found.json().get("status")) != "ingesting":
            soak.answers[f"intake {status}"] += 1
            break
        time.sleep(0.1)
    soak.count("deletion", http.delete(path))


# Memory


def watch(soak: Soak) -> None:
    began = time.monotonic()
    while soak.is_on():
        time.sleep(1)
        found = {"api": soak.service.children("app.cli.main api"), "worker": worker_tree(soak)}
        for name, processes in found.items():
            megabytes = sum(map(resident_mb, processes))
            soak.memory.setdefault(name, []).append((time.monotonic() - began, megabytes))


def worker_tree(soak: Soak) -> list[psutil.Process]:
    worker = soak.service.worker()
    return [worker, *worker.children(recursive=True)] if worker else []


def resident_mb(process: psutil.Process) -> float:
    """Private to the process, so that what children share with their parent counts once."""
    with suppress(psutil.Error):
        return float(process.memory_full_info().uss) / 2**20
    return 0.0


def windows(samples: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The least of each window after the first minute: its minute and its MB."""
    least: dict[int, float] = {}
    for moment, megabytes in samples:
        if moment >= WARM_SECONDS:
            number = int(moment // WINDOW_SECONDS)
            least[number] = min(megabytes, least.get(number, megabytes))
    return [(number * WINDOW_SECONDS / 60, megabytes) for number, megabytes in least.items()]


def deploy(client: Client, folder: Path) -> None:
    path = folder / "patterns.npz"
    path.write_bytes(images(classes=4, per_class=40, seed=1, side=SIDE))
    dataset = client.datasets.wait(client.datasets.upload([path]).id).id
    spec = job_spec(dataset, dataset, deploy={"name": "patterns", "when": "always"})
    client.jobs.wait(client.jobs.submit(spec).id)
    wait_for(lambda: is_served(client), 30, "the deployment does not become ready")


def is_served(client: Client) -> bool:
    try:
        client.deployments.predict("patterns", np.zeros((1, SIDE, SIDE), np.uint8))
    except ApiError as problem:
        if problem.status != 503:
            raise
        return False
    return True


def main(minutes: float, seed: int) -> int:
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="ktl-soak-") as name, running(Path(name)) as service:
        deploy(service.client, Path(name))
        soak = Soak(service, time.monotonic() + 60 * minutes)
        with ThreadPoolExecutor(5) as pool:
            clients = [predict, predict, predict, upload]
            parts = [pool.submit(client, soak, Dice(seed + n)) for n, client in enumerate(clients)]
            for part in (pool.submit(watch, soak), *parts):
                part.result()
    return report(soak, minutes, seed)


def report(soak: Soak, minutes: float, seed: int) -> int:
    for what, count in sorted(soak.answers.items()):
        print(f"{what:24}{count:8}")
    broken = [what for what in soak.answers if what.rpartition(" ")[2] in SERVER_ERRORS]
    figures: dict[str, float] = {"requests": soak.answers.total(), "minutes": minutes}
    for name, samples in soak.memory.items():
        moments, megabytes = zip(*windows(samples), strict=True)
        slope, most = float(theilslopes(megabytes, moments).slope), WANTED_MB_PER_MINUTE[name]
        print(f"{name}: " + " ".join(f"{each:.0f}" for each in megabytes) + " MB")
        print(f"{name}: {slope:+.2f} MB a minute   wanted: <= {most:g}")
        figures |= {f"{name}_mb_per_minute": round(slope, 2), f"{name}_mb": round(megabytes[-1])}
        if slope > most:
            broken.append(f"the memory of the {name} grows")
    print(json.dumps({"benchmark": "soak", "ratios": {}, "figures": figures, "seed": seed}))
    for what in broken:
        print(f"BROKEN: {what}")
    return bool(broken)


if __name__ == "__main__":
    asked = [float(word) for word in sys.argv[1:]]
    sys.exit(main(asked[0] if asked else 10.0, int((asked[1:] or [secrets.randbelow(2**31)])[0])))
