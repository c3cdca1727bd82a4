from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base


class InstallationRow(Base):
    """The database's own name, one row: a store says by it whose files it holds."""

    __tablename__ = "installation"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # always 1
    id: Mapped[str]
