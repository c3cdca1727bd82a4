"""A key as the outside sees it: never its secret, but once."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from app.access.authentication import DEFAULT_PROJECT, Scope
from app.sent import Sent


class KeySpec(Sent):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "ci", "scopes": ["read", "write", "predict"]}]},
    )

    name: str = Field(min_length=1, max_length=200)
    scopes: list[Scope] = Field(min_length=1, description="`admin` implies the others")
    project: str = Field(
        DEFAULT_PROJECT,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        description="what this key makes belongs to it, and is a 404 to other projects' keys",
    )


class KeyOut(BaseModel):
    id: str
    name: str
    project: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class NewKey(KeyOut):
    key: str = Field(description="shown here and never again: `Authorization: Bearer ktl_…`")
