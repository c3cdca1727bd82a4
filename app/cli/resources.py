"""Groups of commands about what a project has: `ktl datasets`, `models`, `jobs`, `deployments`.

All behave alike: the bare word and `list` list, `show NAME`, or the name alone, shows one.
"""

from typing import Any

from typer.core import TyperCommand, TyperGroup

LOOK = "look"
HELP = frozenset({"--help", "-h"})


class ResourceGroup(TyperGroup):
    """Takes what is no command of its own for a name to look at. Its command `look` is hidden."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_plain = not args or args[0] not in {*self.commands, *HELP}
        parsed: list[str] = super().parse_args(ctx, [LOOK, *args] if is_plain else args)
        return parsed


class LookCommand(TyperCommand):
    """The hidden command, called in usage and complaints as people call it: by its group's name."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        if parent is not None:
            info_name, parent = parent.info_name, parent.parent
        return super().make_context(info_name, args, parent, **extra)
