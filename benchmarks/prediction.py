"""Requests/s of the native protocol against a plain FastAPI + pydantic + ONNX Runtime route.

`python -m benchmarks.prediction`: two uvicorn processes on loopback serve the same MLP 784-256-26;
one image (28x28, JSON) a request, 1, 8 and 32 clients with keep-alive. The rounds of both servers
alternate, and each figure is the median of its rounds. About 40 seconds.
"""

import asyncio
import io
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated, Any, cast

import httpx
import numpy as np
import onnx
import onnxruntime
import orjson
import uvicorn
import uvloop
from fastapi import FastAPI
from onnx import TensorProto, helper, numpy_helper
from pydantic import BaseModel, Field

from app.database import Database
from app.deployments import repository as deployments
from app.models import repository as models
from app.settings import Settings
from app.storage import Storage
from app.tables import Base

SHAPE, HIDDEN, CLASSES = (28, 28, 1), 256, 26
CLIENTS = (1, 8, 32)
ROUNDS, ROUND_SECONDS = 5, 0.8
LABELS = [chr(ord("a") + index) for index in range(CLASSES)]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_graph(home / "model.onnx")
        deploy(home)
        image = np.random.default_rng(0).integers(0, 256, (1, *SHAPE), dtype=np.uint8)
        json_body = orjson.dumps({"inputs": image[..., 0].tolist()})
        stream = io.BytesIO()
        np.save(stream, image)
        path = "/v1/deployments/letters/predict"
        with serving("ktl", home) as ours, serving("plain", home) as plain:
            questions = {
                "ktl json": (ours, request(path, "application/json", json_body)),
                "ktl npy": (ours, request(path, "application/x-npy", stream.getvalue())),
                "plain json": (plain, request("/predict", "application/json", json_body)),
            }
            figures = measure(questions)
    print(f"{'requests/s':12}" + "".join(f"{clients:>4} clients" for clients in CLIENTS))
    for name in questions:
        print(f"{name:12}" + "".join(f"{figures[f'{name} {n}']:12.0f}" for n in CLIENTS))
    ratios = {
        f"json_{n}_clients": round(figures[f"ktl json {n}"] / figures[f"plain json {n}"], 2)
        for n in CLIENTS
    }
    rounded = {name.replace(" ", "_"): round(value) for name, value in figures.items()}
    print(orjson.dumps({"benchmark": "prediction", "ratios": ratios, "figures": rounded}).decode())


def measure(questions: dict[str, tuple[int, bytes]]) -> dict[str, float]:
    rates: dict[str, list[float]] = {}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for _ in range(ROUNDS):
            for clients in CLIENTS:
                for name, (port, question) in questions.items():
                    rate = runner.run(load(port, question, clients))
                    rates.setdefault(f"{name} {clients}", []).append(rate)
    return {name: median(values) for name, values in rates.items()}


async def load(port: int, question: bytes, clients: int) -> float:
    """Requests/s of `clients` that each wait for their answer before they ask again."""
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Client(question), "127.0.0.1", port)
        for _ in range(clients)
    ]
    started = perf_counter()
    await asyncio.sleep(ROUND_SECONDS)
    rate = sum(client.answers for _, client in made) / (perf_counter() - started)
    for transport, client in made:
        transport.abort()
        if client.refusal:
            raise RuntimeError(f"expected answers, got: {client.refusal}")
    return rate


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
    signature = {"shape": SHAPE, "dtype": "uint8", "classes": LABELS}
    signature |= {"value_range": (0, 255), "temperature": 1.5}
    database = Database(settings.database)
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        model = models.add(session, "default", "mlp", None, None, files, signature, {})
        deployments.point(session, "default", "letters", model.id)
    database.dispose()


class Question(BaseModel):
    inputs: list[list[list[float]]]
    top_k: Annotated[int, Field(ge=1)] | None = None


class Output(BaseModel):
    label: str
    score: float


class Answer(BaseModel):
    outputs: list[Output]


def plain_application(graph: Path) -> FastAPI:
    """How one would write it first."""
    app = FastAPI()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options)

    @app.post("/predict")
    def predict(question: Question) -> Answer:
        inputs = np.asarray(question.inputs, np.float32)[..., None]
        (probabilities,) = session.run(None, {"inputs": inputs})
        best = probabilities.argmax(axis=1)
        outputs = [
            Output(label=LABELS[index], score=float(row[index]))
            for index, row in zip(best, probabilities, strict=True)
        ]
        return Answer(outputs=outputs)

    return app


@contextmanager
def serving(which: str, home: Path) -> Iterator[int]:
    """The port of a server process that answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.prediction", which, str(port), str(home)]
    process = subprocess.Popen(command, env={**os.environ, "KTL_DATA_DIR": str(home)})
    try:
        wait_for(f"http://127.0.0.1:{port}/openapi.json", process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    transport = httpx.HTTPTransport(retries=8)  # about 25 s, with growing pauses
    with httpx.Client(transport=transport, timeout=30) as client:
        client.get(url).raise_for_status()
    if process.poll() is not None:
        raise RuntimeError(f"the server ended with status {process.returncode}")


def run_server(which: str, port: int, home: Path) -> None:
    from app.main import create_app

    application: Any = create_app() if which == "ktl" else plain_application(home / "model.onnx")
    uvicorn.run(
        application, host="127.0.0.1", port=port, log_level="warning", access_log=False, ws="none"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run_server(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
