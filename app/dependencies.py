"""Dependencies that routes ask for: a session, a caller, a page, the process's own things."""

from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app.access.authentication import Authenticator
from app.access.caller import Caller
from app.database import Database
from app.gate import Needs
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

Reader = Annotated[Caller, Depends(Needs("read"))]
Writer = Annotated[Caller, Depends(Needs("write"))]
Predictor = Annotated[Caller, Depends(Needs("predict"))]
Admin = Annotated[Caller, Depends(Needs("admin"))]
