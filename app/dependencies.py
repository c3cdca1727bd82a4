"""What routes ask for: a session, a caller, a page, the process's own things."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from sqlalchemy.orm import Session

from app.database import Database
from app.errors import Forbidden
from app.keys.authentication import Authenticator, Scope
from app.keys.caller import Caller
from app.pages import Page, page
from app.settings import Settings
from app.storage import Storage
from app.turns import Opening


async def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


async def _storage(request: Request) -> Storage:
    return cast(Storage, request.app.state.storage)


async def _database(request: Request) -> Database:
    return cast(Database, request.app.state.database)


async def _authenticator(request: Request) -> Authenticator:
    return cast(Authenticator, request.app.state.authenticator)


SettingsOf = Annotated[Settings, Depends(_settings)]
StorageOf = Annotated[Storage, Depends(_storage)]
DatabaseOf = Annotated[Database, Depends(_database)]
AuthenticatorOf = Annotated[Authenticator, Depends(_authenticator)]
PageOf = Annotated[Page, Depends(page)]


async def _read(database: DatabaseOf) -> Opening:
    return Opening(database.read)


async def _write(database: DatabaseOf) -> Opening:
    return Opening(database.write)


# Only for routes of app.turns: the session is there while the route runs, and no longer. The commit
# comes before the answer: a client must find what it was told of.
ReadSession = Annotated[Session, Depends(_read)]
WriteSession = Annotated[Session, Depends(_write)]

_bearer = Depends(HTTPBearer(auto_error=False, description="A key, `ktl_…`"))  # for OpenAPI


def require(scope: Scope) -> Callable[..., Coroutine[Any, Any, Caller]]:
    """A dependency: the caller, who holds `scope`. Raises Unauthorized or Forbidden."""

    async def caller(
        request: Request, authenticator: AuthenticatorOf, _: object = _bearer
    ) -> Caller:
        caller = await authenticator.caller(request.headers.get("authorization"))
        if scope not in caller.scopes:
            held = ", ".join(sorted(caller.scopes)) or "none"
            detail = f"expected a key with the scope `{scope}`, got one with: {held}"
            raise Forbidden("missing_scope", detail)
        return caller

    return caller


Reader = Annotated[Caller, Depends(require("read"))]
Writer = Annotated[Caller, Depends(require("write"))]
Predictor = Annotated[Caller, Depends(require("predict"))]
Admin = Annotated[Caller, Depends(require("admin"))]
