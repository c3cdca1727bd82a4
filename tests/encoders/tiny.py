"""An encoder that is small enough to be made in a test: the mean of its tokens' vectors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from app.inputs.encoders import EncoderFacts
from app.integrity import sha256_of
from worker.backbones.encoders.folder import Folder
from worker.backbones.encoders.tokenizer_json import tokenizer_json

DIMENSION = 4
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
LETTERS = ("▁", *"abcdefghijklmnopqrstuvwxyz")
IDS, MASK = "input_ids", "attention_mask"


def tiny(path: Path, pieces: int | None = None, **changes: Any) -> Folder:
    """A folder that is whole. `pieces`: rows of the graph's table, where they are not the
    tokenizer's; `changes`: of the facts."""
    folder, words = Folder(path), [*SPECIAL, *LETTERS]
    onnx.save(graph(pieces or len(words)), folder.graph)
    scores = np.linspace(0, -5, len(words)).astype(np.float32)
    folder.tokenizer.write_bytes(tokenizer_json(words, scores, begin=0, end=2, unknown=3))
    write_facts(folder, **changes)
    return folder


def with_pattern(tokenizer: bytes) -> bytes:
    """The same tokenizer.json, cutting by a pattern that gives up at repeated letters."""
    content = json.loads(tokenizer)
    pattern = {"Regex": r"(\u0416+)+\u0417"}
    split = {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}
    content["pre_tokenizer"] = split
    return json.dumps(content).encode()


def write_facts(folder: Folder, **changes: Any) -> None:
    facts: dict[str, Any] = {
        "name": "tiny",
        "revision": "1",
        "licence": "none",
        "max_tokens": 16,
        "pad_id": 1,
        "pooling": "mean",
        "normalised": False,
        "dimension": DIMENSION,
        "model_sha256": sha256_of(folder.graph),
        "tokenizer_sha256": sha256_of(folder.tokenizer),
    }
    content = json.dumps(EncoderFacts(**facts | changes).model_dump(mode="json"))
    (folder.path / "encoder.json").write_text(content)


def graph(pieces: int, heeds_mask: bool = True, mask: str = MASK) -> onnx.ModelProto:
    table = np.random.default_rng(0).normal(size=(pieces, DIMENSION)).astype(np.float32)
    constants = {
        "table": table,
        "last": np.array([2], np.int64),
        "tokens": np.array([1], np.int64),
        "none": np.zeros((), np.float32),
        "one": np.ones((), np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["table", IDS], ["vectors"]),
        helper.make_node("Cast", [mask], ["mask_as_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["mask_as_float", "one" if heeds_mask else "none"], ["scaled"]),
        helper.make_node("Add", ["scaled", "none" if heeds_mask else "one"], ["weights"]),
        helper.make_node("Unsqueeze", ["weights", "last"], ["wide"]),
        helper.make_node("Mul", ["vectors", "wide"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "tokens"], ["total"], keepdims=0),
        helper.make_node("ReduceSum", ["wide", "tokens"], ["count"], keepdims=0),
        helper.make_node("Div", ["total", "count"], ["features"]),
    ]
    takes = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"]) for name in (IDS, mask)
    ]
    gives = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", DIMENSION])
    held = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    body = helper.make_graph(nodes, "tiny", takes, [gives], held)
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    return model
