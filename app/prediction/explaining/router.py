"""Explanations of single predictions: POST /v1/deployments/{name}/explain."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import orjson
from fastapi import APIRouter

from app.actions import post_action
from app.dependencies import Predictor
from app.errors import TooLarge
from app.gate import LIMIT_BYTES, BoundedRequest
from app.prediction import joined
from app.prediction.dependencies import DeploymentName, ServedOf
from app.prediction.explaining.explained_item import AT, ExplainedItem, changes_of, output_of
from app.prediction.explaining.line import LineOf
from app.prediction.explaining.schemas import ExplainIn, Explanation
from app.prediction.feeds import Array
from app.prediction.item_places import places_of
from app.prediction.json_envelope import document_of
from app.prediction.outputs import check_finite
from app.prediction.protocols.contract import AnswerEncoder
from app.prediction.protocols.native_answers import PLAIN, SETS, VALUES
from app.prediction.served import Loaded
from app.settings import Settings
from app.tasks.contract import AnswerForm
from app.turns import TurnRoute

EXPLAINING = """Says how the answer to one item changes when a part of it is taken away: a patch of
a picture is painted over, a column's value made missing, a word left out, a part of an item of
several made missing, and so each part of that part. The model is asked about up to 256 such items,
so that this takes as long as a prediction of so many; explanations are made one at a time, and one
per key waits for its turn.

It says how this model's answer changes, not why. What is not in the item cannot be taken away, and
what parts do only together is not seen."""
ENCODERS: dict[AnswerForm, AnswerEncoder] = {"label": PLAIN, "labels": SETS, "value": VALUES}
_work = ThreadPoolExecutor(1, "explanations")  # reads items and takes parts away


class ItemRequest(BoundedRequest):
    """Reads a body as predictions do, and no larger ones but for files of pictures."""

    @property
    def limit_bytes(self) -> int:
        settings: Settings = self.app.state.settings
        return min(settings.predict_limit_bytes, settings.predict_json_limit_bytes)

    def decoded(self, body: bytes) -> Any:
        if len(body) > LIMIT_BYTES and not joined.is_of_files(body):
            detail = (
                f"expected at most {LIMIT_BYTES} bytes, or a picture's file in Base64, got more: "
                'send a large picture as {"b64": …}'
            )
            raise TooLarge("body_too_large", detail)
        return document_of(body)


class ExplainRoute(TurnRoute):
    request_class = ItemRequest


router = APIRouter(prefix="/v1/deployments", tags=["deployments"], route_class=ExplainRoute)


@post_action(router, "/{name}/explain", description=EXPLAINING, response_model_exclude_none=True)
async def explain(
    name: DeploymentName, body: ExplainIn, caller: Predictor, served: ServedOf, line: LineOf
) -> Explanation:
    loaded = await served.find(caller.project, name)
    loop = asyncio.get_running_loop()
    async with line.turn(caller.key_id or caller.project):
        asked = await loop.run_in_executor(_work, ExplainedItem.of, loaded, body.inputs[0])
        whole = await loaded.batcher.run_alone(asked.whole)
        check_finite(whole, places_of(loaded.inputs, AT))
        output = output_of(loaded, body.output, whole[0])
        without: list[Array] = []
        for run in asked.runs():
            part = await loop.run_in_executor(_work, asked.occlusions.rows, run)
            without.append((await loaded.batcher.run_alone(part))[:, output])
    return _told(name, loaded, asked, whole, output, without)


def _told(
    name: str,
    loaded: Loaded,
    asked: ExplainedItem,
    whole: Array,
    output: int,
    without: list[Array],
) -> Explanation:
    answer = float(whole[0, output])
    changes = changes_of(answer, np.concatenate(without)) if without else []
    return Explanation(
        deployment=name,
        model=loaded.model_id,
        calibrated=loaded.temperature is not None,
        temperature=loaded.temperature or 1.0,
        warnings=[*asked.warnings] or None,
        prediction=orjson.loads(ENCODERS[loaded.form].piece(loaded, whole)),
        output=loaded.labels[output],
        answer=answer,
        unit=loaded.unit,
        rows=1 + len(changes),
        contributions=asked.occlusions.told(changes),
    )
