"""`ktl` as it is installed: the client alone brings no command line."""

import sys


def main() -> None:
    try:
        from app.cli.main import main as run
    except ModuleNotFoundError as error:
        # Only the first of them is missed where ktl is installed without extras.
        if error.name != "typer":
            raise
        sys.exit(
            "the command line is not installed: expected the extra `api` (pip install 'ktl[api]'), "
            "or `worker` to train here too; got the client alone (`from ktl import Client`)"
        )
    run()
