"""Options that many commands share. Light: `ktl --help` imports it."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
