"""Graphs of several named tensors of any dtype, one of them of a free length: from a network to
answers over a session and a batcher."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import onnxruntime
import pytest

from app.errors import Invalid, WorkFailure, invalid
from app.inputs.contract import InputsContract, Sketch
from app.models.schemas import Signature
from app.prediction import json_items, sessions
from app.prediction.batching import Batcher
from app.prediction.feeds import Part
from app.prediction.item_places import ItemPlaces
from app.prediction.protocols.tensorflow_serving import Nested
from app.prediction.sessions import LoadFailed, Session
from app.tasks.classification import Classification
from app.tensors import TensorBatch, Tensors, TensorSpec
from worker.packaging.onnx_graph import Packaged, package

IDS, MASK, PHOTO, NUMBER = "note.ids", "note.mask", "photo.image", "number"
TASK = Classification(classes=("a", "b", "c"))
LETTERS = 30


class NoteInputs(InputsContract):
    """A note, whose letters are ids padded to the longest, a photo and a number."""

    modality: Literal["note"] = "note"

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        return (
            TensorSpec(IDS, "int32", (-1,)),
            TensorSpec(MASK, "int32", (-1,)),
            TensorSpec(PHOTO, "uint8", (4, 4, 1)),
            TensorSpec(NUMBER, "float32", ()),
        )

    @property
    def summary(self) -> str:
        return "a note"

    @property
    def layout(self) -> tuple[int, int, int]:
        return (1, 1, 1)

    def differences(self, source: "NoteInputs", resized: tuple[int, int] | None) -> list[str]:
        return []

    def decode(self, items: Sequence[Any], at: str, first: int = 0) -> Tensors:
        longest = max(1, *(len(item["note"]) for item in items))
        ids = np.zeros((len(items), longest), np.int32)
        for row, item in enumerate(items):
            if "number" not in item:
                raise invalid("missing_field", "expected `number`", f"{at}/{first + row}")
            codes = [ord(letter) % LETTERS for letter in item["note"]]
            ids[row, : len(codes)] = codes
        lengths = np.array([[len(item["note"])] for item in items])
        return {
            IDS: ids,
            MASK: (np.arange(longest) < lengths).astype(np.int32),
            PHOTO: np.array([item["photo"] for item in items], np.uint8),
            NUMBER: np.array([item["number"] for item in items], np.float32),
        }

    def sketch(self, items: Tensors) -> Sketch:
        return np.zeros((1, 1), np.float32)

    def raw(self, items: Tensors) -> list[Any]:
        return [
            {
                "note": "".join(chr(code + LETTERS * 4) for code in ids[: mask.sum()]),
                "photo": photo.tolist(),
                "number": float(number),
            }
            for ids, mask, photo, number in zip(*items.values(), strict=True)
        ]

    def extremes(self, sample: Tensors) -> Tensors:
        return {name: values[:1] * 0 for name, values in sample.items()}


INPUTS = NoteInputs()


def network() -> keras.Model:
    keras.utils.set_random_seed(3)
    ids = keras.Input((None,), name=IDS, dtype="int64")
    mask = keras.Input((None,), name=MASK, dtype="int32")
    photo = keras.Input((4, 4, 1), name=PHOTO, dtype="uint8")
    number = keras.Input((), name=NUMBER)
    is_there = keras.ops.expand_dims(keras.ops.cast(mask, "float32"), 2)
    letters = keras.ops.sum(keras.layers.Embedding(LETTERS, 6)(ids) * is_there, 1)
    seen = [
        letters / (keras.ops.sum(is_there, 1) + 1.0),
        keras.layers.Flatten()(keras.ops.cast(photo, "float32") / 255.0),
        keras.ops.expand_dims(number, 1),
    ]
    logits = keras.layers.Dense(3)(keras.layers.Concatenate()(seen))
    given = {IDS: ids, MASK: mask, PHOTO: photo, NUMBER: number}
    return keras.Model(given, logits)


def items(count: int, seed: int = 0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "note": "".join(chr(int(code)) for code in rng.integers(120, 150, rng.integers(0, 12))),
            "photo": rng.integers(0, 256, (4, 4, 1)).tolist(),
            "number": float(np.float32(rng.normal())),
        }
        for _ in range(count)
    ]


def signature() -> Signature:
    return Signature.model_construct(inputs=INPUTS, task=TASK, temperature=None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, Packaged]:
    model = network()
    sample = INPUTS.decode(items(40), "#")
    return model, package(model, sample, tmp_path_factory.mktemp("package"), signature())


@pytest.fixture(scope="module")
def session(made: tuple[keras.Model, Packaged]) -> Session:
    return sessions.load(made[1].onnx, made[1].golden, INPUTS, TASK)  # type: ignore[arg-type]


def decoded(*asked: dict[str, Any]) -> Part:
    return TensorBatch(INPUTS.decode(asked, "#"))


def test_the_graph_takes_each_tensor_by_its_name_and_in_its_dtype(
    made: tuple[keras.Model, Packaged],
) -> None:
    assert made[1].max_difference <= 1e-4
    runtime = onnxruntime.InferenceSession(made[1].onnx)
    takes = {each.name: (each.type, len(each.shape)) for each in runtime.get_inputs()}
    assert takes == {
        IDS: ("tensor(int64)", 2),
        MASK: ("tensor(int32)", 2),
        PHOTO: ("tensor(uint8)", 4),
        NUMBER: ("tensor(float)", 1),
    }
    with np.load(made[1].golden, allow_pickle=False) as golden:
        assert golden[f"inputs.{IDS}"].dtype == np.int64
        assert len(json.loads(golden["raw"].tobytes())) == len(golden["probabilities"]) == 32


def test_it_answers_as_the_network_whatever_runs_beside_it(
    made: tuple[keras.Model, Packaged], session: Session
) -> None:
    asked = items(7, seed=5)
    asked[3]["note"] = ""
    asked[4]["note"] = "x" * 300
    expected = []
    for item in asked:
        tensors = {name: values[:] for name, values in INPUTS.decode([item], "#").items()}
        expected.append(keras.ops.softmax(made[0](tensors))[0].numpy())
    batcher = Batcher(session)

    async def together() -> list[Any]:
        parts = [session.feed.prepared(decoded(item)) for item in asked]
        return await asyncio.gather(*map(batcher.run, parts))

    answers = np.concatenate(asyncio.run(together()))
    np.testing.assert_allclose(answers, np.array(expected), atol=1e-5)
    alone = asyncio.run(batcher.run_alone(decoded(*asked)))
    np.testing.assert_allclose(alone, np.array(expected), atol=1e-5)


def test_long_ones_go_through_a_few_at_a_time(session: Session) -> None:
    sizes = list[int]()

    class Noting:
        def run(self, _: Any, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
            sizes.append(len(feeds[IDS]))
            return [np.zeros((len(feeds[IDS]), 3), np.float32)]

    asked = [item | {"note": "x" * 500} for item in items(40)]
    answers = session.feed.run(Noting(), session.feed.prepared(decoded(*asked)))
    assert answers.shape == (40, 3)
    assert max(sizes) < 16
    assert sum(sizes) == 40


def test_bodies_are_read_by_the_decoder_of_the_inputs() -> None:
    def look(document: Any) -> json_items.Listed:
        return json_items.Listed(Nested(b"predictions"), ItemPlaces("#/instances"), document)

    asked = items(3)
    read = json_items.read(json.dumps(asked).encode(), look, INPUTS)  # type: ignore[arg-type]
    (part,) = read.parts
    assert isinstance(part, TensorBatch)
    assert read.rows == 3
    np.testing.assert_array_equal(part.tensors[IDS], INPUTS.decode(asked, "#")[IDS])
    assert read.place.of_first(np.array([[False], [True]])) == "#/instances/1"
    del asked[2]["number"]
    with pytest.raises(Invalid) as refused:
        json_items.read(json.dumps(asked).encode(), look, INPUTS)  # type: ignore[arg-type]
    assert refused.value.findings[0].pointer == "#/instances/2"


def test_golden_items_that_are_read_otherwise_are_refused(
    made: tuple[keras.Model, Packaged], tmp_path: Path
) -> None:
    with np.load(made[1].golden, allow_pickle=False) as golden:
        stored = dict(golden)
    sent = json.loads(stored["raw"].tobytes())
    sent[0]["note"] += "y"
    changed = np.frombuffer(json.dumps(sent).encode(), np.uint8)
    np.savez(tmp_path / "golden.npz", **stored | {"raw": changed})
    with pytest.raises(LoadFailed, match="decoded as they were"):
        sessions.load(made[1].onnx, tmp_path / "golden.npz", INPUTS, TASK)  # type: ignore[arg-type]
    del stored["raw"]
    np.savez(tmp_path / "golden.npz", **stored)
    with pytest.raises(LoadFailed, match="as clients send them"):
        sessions.load(made[1].onnx, tmp_path / "golden.npz", INPUTS, TASK)  # type: ignore[arg-type]


def test_items_may_become_something_else_before_the_graph(
    made: tuple[keras.Model, Packaged], tmp_path: Path
) -> None:
    """As texts become ids: the golden items are what is sent."""

    def doubled(part: Part) -> Part:
        assert isinstance(part, TensorBatch)
        return TensorBatch({**part.tensors, NUMBER: part.tensors[NUMBER] * 2})

    with np.load(made[1].golden, allow_pickle=False) as golden:
        stored = dict(golden)
    with pytest.raises(LoadFailed, match="decoded as they were"):
        sessions.load(made[1].onnx, made[1].golden, INPUTS, TASK, doubled)  # type: ignore[arg-type]
    stored[f"inputs.{NUMBER}"] = stored[f"inputs.{NUMBER}"] * 2
    given = {name: stored[f"inputs.{name}"] for name in (IDS, MASK, PHOTO, NUMBER)}
    stored["probabilities"] = keras.ops.softmax(made[0](given)).numpy()
    np.savez(tmp_path / "golden.npz", **stored)
    loaded = sessions.load(
        made[1].onnx,
        tmp_path / "golden.npz",
        INPUTS,  # type: ignore[arg-type]
        TASK,
        doubled,
    )
    (item,) = items(1, seed=9)
    of_double = keras.ops.softmax(
        made[0](INPUTS.decode([item | {"number": item["number"] * 2}], "#"))
    )
    np.testing.assert_allclose(loaded.answers(decoded(item)), of_double.numpy(), atol=1e-5)


def test_a_network_that_answers_otherwise_than_its_graph_is_not_packaged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = network()
    sample = INPUTS.decode(items(4), "#")
    from worker.packaging import onnx_graph

    export = onnx_graph._export

    def other(raw_model: keras.Model, *rest: Any) -> Any:
        raw_model.layers[-1].bias.assign([0.0, 0.5, 0.0])
        graph = export(raw_model, *rest)
        raw_model.layers[-1].bias.assign([0.0, 0.0, 0.0])
        return graph

    monkeypatch.setattr(onnx_graph, "_export", other)
    with pytest.raises(WorkFailure, match=r"within 0\.0001"):
        package(model, sample, tmp_path, signature())
