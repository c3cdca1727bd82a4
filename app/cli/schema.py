"""In production a migration is a step of its own: the roles only check that it was taken."""

from sqlalchemy.exc import OperationalError

from app.database import Database
from app.migrate import is_current


class WrongSchema(Exception):
    """The message says what to do."""


def require_current(url: str) -> None:
    """Raises WrongSchema unless the database can be opened and is at this version's schema."""
    database = Database(url)
    try:
        if not is_current(database):
            raise WrongSchema("the database's schema is not this version's; run `ktl migrate`")
    except OperationalError as error:
        raise WrongSchema(f"cannot open the database: {error.orig}; try `ktl migrate`") from error
    finally:
        database.dispose()
