"""Dependencies of the routes of protocols and of deployments."""

from typing import Annotated, cast

from fastapi import Depends, Path, Request

from app.prediction.served import ServedModels
from app.spec.spec import DEPLOYMENT_NAME

DeploymentName = Annotated[
    str,
    Path(
        pattern=DEPLOYMENT_NAME,
        description="chosen by you: lower-case letters, digits, `-` and `_`",
    ),
]


async def _served(request: Request) -> ServedModels:
    return cast(ServedModels, request.app.state.served)


ServedOf = Annotated[ServedModels, Depends(_served)]


class AnsweredByFront(RuntimeError):
    """Raised by routes that exist for the OpenAPI document alone, should one ever be called."""

    def __init__(self) -> None:
        super().__init__("app.prediction.front.PredictionFront answers this path before FastAPI")
