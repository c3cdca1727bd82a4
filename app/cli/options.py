"""Options that many commands share. Light: `ktl --help` imports it."""

from typing import Annotated

import typer

DatasetRef = Annotated[
    str, typer.Argument(metavar="DATASET", help="Its name, or ds_….", show_default=False)
]
JobRef = Annotated[
    str, typer.Argument(metavar="JOB", help="Its name, or job_….", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
