"""Conditions that must hold before a role starts. In production a migration is a step of its own:
the roles only check that it was taken."""

import socket

from sqlalchemy import make_url
from sqlalchemy.exc import DatabaseError

from app.access.authentication import require_key_or_loopback
from app.database import Database
from app.migrate import UnknownSchema, is_current, upgrade
from app.private_folder import complaint, keep_private
from app.settings import Settings


class CannotStart(Exception):
    """The message says what stands in the way, and what to do."""


def close_data_folder(settings: Settings) -> None:
    """Closes the data folder to other users of this machine, also for what this process makes.
    Complains where it cannot be closed."""
    from app.cli.output import complain

    if left := keep_private(settings):
        complain(complaint(left))


def require_schema(settings: Settings) -> None:
    """The database can be opened and is at this version's schema. Raises CannotStart."""
    database = Database(settings.database)
    try:
        if not is_current(database):
            raise CannotStart("the database's schema is not this version's; run `ktl migrate`")
    except UnknownSchema as error:
        raise CannotStart(str(error)) from error
    except DatabaseError as error:
        raise CannotStart(f"cannot open the database: {error.orig}; try `ktl migrate`") from error
    finally:
        database.dispose()


def bring_schema(settings: Settings) -> None:
    """Brings the database to this version's schema. Raises CannotStart."""
    try:
        upgrade(settings.database)
    except UnknownSchema as error:
        raise CannotStart(str(error)) from error
    except (DatabaseError, OSError) as error:
        shown = make_url(settings.database).render_as_string(hide_password=True)
        raise CannotStart(
            f"cannot open the database {shown}: {getattr(error, 'orig', error)}; KTL_DATABASE_URL "
            "names another"
        ) from error


def require_key(settings: Settings) -> None:
    """There is a key, or only this machine can reach the API. Raises CannotStart."""
    database = Database(settings.database)
    try:
        require_key_or_loopback(database, settings)
    except RuntimeError as error:
        raise CannotStart(str(error)) from error
    finally:
        database.dispose()


def require_port(settings: Settings) -> None:
    """Nothing else listens there. Raises CannotStart."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        raise CannotStart(
            f"expected {settings.host}:{settings.port} to be free, got: {error.strerror}; "
            "KTL_PORT names another port"
        ) from error
