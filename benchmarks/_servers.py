"""What benchmarks/serving.py compares: `python -m benchmarks._servers WHICH PORT HOME`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnxruntime
import orjson
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.serving import CLASSES, HIDDEN, LABELS, PATH, SHAPE


class Question(BaseModel):
    inputs: list[list[list[float]]]
    top_k: Annotated[int, Field(ge=1)] | None = None


class Output(BaseModel):
    label: str
    score: float


class Answer(BaseModel):
    outputs: list[Output]


def session_of(graph: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options)


def answered(probabilities: Any) -> Answer:
    best = probabilities.argmax(axis=1)
    outputs = [
        Output(label=LABELS[index], score=float(row[index]))
        for index, row in zip(best, probabilities, strict=True)
    ]
    return Answer(outputs=outputs)


def plain_application(home: Path) -> FastAPI:
    """How one would write it first."""
    app, session = FastAPI(), session_of(home / "model.onnx")

    @app.post(PATH)
    def predict(question: Question) -> Answer:
        inputs = np.asarray(question.inputs, np.float32)[..., None]
        (probabilities,) = session.run(None, {"inputs": inputs})
        return answered(probabilities)

    return app


def keras_application(_: Path) -> FastAPI:
    import keras

    layers = [
        keras.layers.Input(SHAPE),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(HIDDEN, activation="relu"),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ]
    app, model = FastAPI(), keras.Sequential(layers)

    @app.post(PATH)
    def predict(question: Question) -> Answer:
        inputs = np.asarray(question.inputs, np.float32)[..., None]
        return answered(model.predict(inputs, verbose=0))

    return app


def unchecked_application(home: Path) -> ASGIApp:
    """The least that answers: no framework, no check, one parser and one run in the event loop."""
    import simdjson

    parser, session = simdjson.Parser(), session_of(home / "model.onnx")

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["method"] != "POST":
            return await bare_application(scope, receive, send)
        body = (await receive())["body"]  # small ones come whole
        numbers = np.frombuffer(parser.parse(body)["inputs"].as_buffer(of_type="d"))
        inputs = numbers.astype(np.float32).reshape(-1, *SHAPE)
        (scores,) = session.run(None, {"inputs": inputs})[0].tolist()
        best = max(scores)
        outputs = [{"label": LABELS[scores.index(best)], "score": best}]
        content = orjson.dumps({"outputs": outputs})
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(content)),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})
        return None

    return application


async def bare_application(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body and looks at nothing."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def main(which: str, port: int, home: Path) -> None:
    application: ASGIApp
    match which:
        case "ktl":
            from app.server import run
            from app.settings import Settings

            return run(Settings(data_dir=home, port=port))  # as `ktl api` starts it
        case "unchecked":
            application = unchecked_application(home)
        case "plain":
            application = plain_application(home)
        case "keras":
            application = keras_application(home)
        case _:
            application = bare_application
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
    )
    return None


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
