"""The caller who asks. Everything a caller makes belongs to its project."""

from dataclasses import dataclass

from app.errors import Forbidden


@dataclass(frozen=True)
class Caller:
    project: str
    scopes: frozenset[str]  # `admin` has been spelt out: it implies all
    key_id: str | None  # None: this machine's own user, before any key was made

    def require(self, scope: str) -> None:
        """Raises Forbidden unless the caller holds `scope`."""
        if scope not in self.scopes:
            held = ", ".join(sorted(self.scopes)) or "none"
            detail = f"expected a key with the scope `{scope}`, got one with: {held}"
            raise Forbidden("missing_scope", detail)
