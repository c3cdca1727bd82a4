"""Requests/s of the native protocol against other ways to serve the same network.

`python -m benchmarks.serving`: processes on loopback serve one MLP 784-256-26 to 1, 8 and 32
clients with keep-alive, one image (28x28, JSON) a request: ktl; a plain FastAPI + pydantic + ONNX
Runtime route; LitServe + ONNX Runtime; a bare ASGI application that reads the body and does nothing
(the ceiling); one that runs the network without a check (what its run leaves of that); FastAPI +
keras.predict. LitServe and Keras are left out, aloud, where they are not
installed. The rounds of all alternate, the servers that wait are stopped (SIGSTOP), and each figure
is the median of its rounds. `_cpu_us`: what a request costs the server's processes,
in microseconds; it says more than the rate where the machine has other work. Two minutes.
"""

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import NamedTuple, cast

import httpx
import numpy as np
import onnx
import onnxruntime
import orjson
import psutil
import uvloop
from onnx import TensorProto, helper, numpy_helper

from app.database import Database
from app.deployments import repository as deployments
from app.inputs.image import ImageInputs
from app.models import repository as models
from app.models.schemas import Signature
from app.settings import Settings
from app.storage import Storage
from app.tables import Base
from app.tasks.classification import Classification

SHAPE, HIDDEN, CLASSES = (28, 28, 1), 256, 26
CLIENTS = (1, 8, 32)
ROUNDS, ROUND_SECONDS = 5, 0.8
READY_SECONDS = 90.0
SETTLING_SECONDS = 0.3  # for what came due while it was stopped
LABELS = [chr(ord("a") + index) for index in range(CLASSES)]
PATH = "/v1/deployments/letters/predict"
NEEDED = {"litserve": "litserve", "keras": "tensorflow"}


class Server(NamedTuple):
    process: subprocess.Popen[bytes]
    port: int

    @contextmanager
    def awake(self) -> Iterator[None]:
        os.killpg(self.process.pid, signal.SIGCONT)
        sleep(SETTLING_SECONDS)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGSTOP)

    def cpu_seconds(self) -> float:
        main = psutil.Process(self.process.pid)
        family = [main, *main.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in family)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home = Path(folder)
        write_graph(home / "model.onnx")
        deploy(home)
        image = np.random.default_rng(0).integers(0, 256, (1, *SHAPE), dtype=np.uint8)
        body = orjson.dumps({"inputs": image[..., 0].tolist()})
        stream = io.BytesIO()
        np.save(stream, image)
        servers = {}
        for which in ("ktl", "plain", "bare", "unchecked", "litserve", "keras"):
            if find_spec(NEEDED.get(which, "onnxruntime")) is None:
                print(f"{NEEDED[which]} is not installed: left out")
                continue
            servers[which] = stack.enter_context(serving(which, home))
        questions = {f"{name} json": request(PATH, "application/json", body) for name in servers}
        questions["ktl npy"] = request(PATH, "application/x-npy", stream.getvalue())
        figures = measure(servers, questions)
    print(f"{'requests/s':14}" + "".join(f"{clients:>4} clients" for clients in CLIENTS))
    for name in questions:
        print(f"{name:14}" + "".join(f"{figures[f'{name} {n}']:12.0f}" for n in CLIENTS))
    ratios = {
        key: round(figures[f"{one} json {clients}"] / figures[f"{other} json {clients}"], 2)
        for clients in CLIENTS
        for key, one, other in (
            (f"json_{clients}_clients", "ktl", "plain"),
            (f"litserve_c{clients}", "ktl", "litserve"),
            (f"keras_predict_c{clients}", "ktl", "keras"),
            (f"bare_asgi_c{clients}", "bare", "ktl"),
            (f"unchecked_c{clients}", "unchecked", "ktl"),
        )
        if {one, other} <= servers.keys()
    }
    rounded = {name.replace(" ", "_"): round(value) for name, value in figures.items()}
    print(orjson.dumps({"benchmark": "serving", "ratios": ratios, "figures": rounded}).decode())


def measure(servers: dict[str, Server], questions: dict[str, bytes]) -> dict[str, float]:
    rates: dict[str, list[float]] = {}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for _ in range(ROUNDS):
            for clients in CLIENTS:
                for name, question in questions.items():
                    server = servers[name.split()[0]]
                    with server.awake():
                        spent = server.cpu_seconds()
                        answers, rate = runner.run(load(server.port, question, clients))
                        spent = server.cpu_seconds() - spent
                    rates.setdefault(f"{name} {clients}", []).append(rate)
                    rates.setdefault(f"{name} {clients} cpu us", []).append(1e6 * spent / answers)
    return {name: median(values) for name, values in rates.items()}


async def load(port: int, question: bytes, clients: int) -> tuple[int, float]:
    """Answers, and answers/s, of `clients` that each wait for theirs before they ask again."""
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Client(question), "127.0.0.1", port)
        for _ in range(clients)
    ]
    started = perf_counter()
    await asyncio.sleep(ROUND_SECONDS)
    while not (answers := sum(client.answers for _, client in made)):
        await asyncio.sleep(0.1)  # a slow server's first answer is waited for
        if perf_counter() - started > READY_SECONDS:
            raise RuntimeError("no answer came")
    rate = answers / (perf_counter() - started)
    for transport, client in made:
        transport.abort()
        if client.refusal:
            raise RuntimeError(f"expected answers, got: {client.refusal}")
    return answers, rate


class Client(asyncio.Protocol):
    """As little work as can be: it shares the cores with the server."""

    def __init__(self, question: bytes) -> None:
        self._question, self._received = question, b""
        self.answers, self.refusal = 0, ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._question)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.partition(b"content-length: ")[2].split(b"\r")[0]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.refusal = self._received.decode()
            return
        self._received = b""
        self.answers += 1
        self._transport.write(self._question)


def request(path: str, media_type: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def write_graph(path: Path) -> None:
    """An MLP with random weights: raw pixels -> probabilities."""
    random = np.random.default_rng(0)
    inner = random.normal(0, 0.05, (int(np.prod(SHAPE)), HIDDEN)).astype(np.float32)
    outer = random.normal(0, 0.05, (HIDDEN, CLASSES)).astype(np.float32)
    nodes = [
        helper.make_node("Mul", ["inputs", "scale"], ["scaled"]),
        helper.make_node("Flatten", ["scaled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "inner"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["features"]),
        helper.make_node("MatMul", ["features", "outer"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {"scale": np.float32(1 / 255), "inner": inner, "outer": outer}
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["n", *SHAPE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", CLASSES])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    opset = helper.make_opsetid("", 18)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=10), str(path))


def deploy(home: Path) -> None:
    settings = Settings(data_dir=home)
    inputs = np.random.default_rng(1).integers(0, 256, (8, *SHAPE)).astype(np.float32)
    (answered,) = onnxruntime.InferenceSession(home / "model.onnx").run(None, {"inputs": inputs})
    np.savez(home / "golden.npz", inputs=inputs, probabilities=answered)
    storage = Storage(settings.storage, settings.cache_dir)
    files = {"onnx": storage.put(home / "model.onnx"), "golden": storage.put(home / "golden.npz")}
    signature = Signature(
        inputs=ImageInputs(shape=SHAPE, dtype="uint8", value_range=(0, 255)),
        task=Classification(classes=tuple(LABELS)),
        temperature=1.5,
    )
    database = Database(settings.database)
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        model = models.add(session, "default", "mlp", None, None, files, signature, {})
        deployments.point(session, "default", "letters", model.id)
    database.dispose()


@contextmanager
def serving(which: str, home: Path) -> Iterator[Server]:
    """A server process that answers, stopped until it is awake."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    module = ["_litserve_server"] if which == "litserve" else ["_servers", which]
    command = [sys.executable, "-m", f"benchmarks.{module[0]}", *module[1:], str(port), str(home)]
    environment = {**os.environ, "KTL_DATA_DIR": str(home), "KERAS_BACKEND": "tensorflow"}
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        environment.pop(name, None)
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process)
        os.killpg(process.pid, signal.SIGSTOP)
        yield Server(process, port)
    finally:
        with suppress(ProcessLookupError):
            for ending in (signal.SIGCONT, signal.SIGTERM):
                os.killpg(process.pid, ending)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until it answers, and not that it is not ready."""
    deadline = perf_counter() + READY_SECONDS
    while process.poll() is None and perf_counter() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(url, timeout=5).status_code != 503:
                return
        sleep(0.2)
    raise RuntimeError(f"the server does not answer; its status is {process.poll()}")


if __name__ == "__main__":
    main()
