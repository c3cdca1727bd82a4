"""`ktl`: everything on one machine, each role alone, and the client."""

import errno
import io
import sys
from typing import Annotated

import typer

from app.cli import (
    audits,
    backbones,
    datasets,
    deployments,
    doctor,
    explaining,
    jobs,
    keys,
    machine,
    models,
    serving,
    submitting,
    usage,
)

# Exit statuses. Also 2, from typer, for a command that was not written right.
FAILED = 1
USAGE = 2
UNREACHABLE = 3

app = typer.Typer(
    name="ktl",
    help="Transfer learning as a service: POST one job, get evidence and an endpoint.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"ktl {version('ktl')}")
        raise typer.Exit


@app.callback()
def _whole(
    _: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            help="Print the version and exit.",
            callback=_show_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Transfer learning as a service: POST one job, get evidence and an endpoint."""


machine.register(app)
doctor.register(app)
submitting.register(app)
jobs.register(app)
serving.register(app)
explaining.register(app)
usage.register(app)
datasets.app.command()(audits.audit)
app.add_typer(datasets.app, name="datasets")
app.add_typer(models.app, name="models", rich_help_panel="Serving")
app.add_typer(deployments.app, name="deployments", rich_help_panel="Serving")
app.add_typer(backbones.app, name="backbones")
app.add_typer(keys.app, name="keys")


def main() -> None:
    _begin_lightly()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it is closed
            stream.reconfigure(errors="backslashreplace")  # names in any script, on any terminal
    try:
        app(prog_name="ktl")
    except Exception as error:
        sys.exit(_explain(error))


def _begin_lightly() -> None:
    """Leaves httpx's own command line out of the start, which no command needs; it brings click and
    half of rich (.08 s of CPU). httpx does as if it were not installed."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: no such


def _explain(error: Exception) -> int:
    """Prints what went wrong and returns the exit status. Anything unforeseen goes on up."""
    from app.cli.output import complain, print_json, print_problem
    from app.client import ApiError, Unreachable

    if isinstance(error, ApiError):
        if "--json" in sys.argv:
            print_json(error.body)
        else:
            print_problem(error)
        return FAILED
    if isinstance(error, Unreachable):
        complain(f"{error}\n`ktl up` starts one here; KTL_URL names another")
        return UNREACHABLE
    if isinstance(error, OSError) and (of_file := _of_a_file(error)):
        complain(of_file)
        return USAGE
    if isinstance(error, UnicodeEncodeError):  # of an argument: all output is escaped
        complain(f"expected text in UTF-8, got {error.object[error.start : error.end]!r}")
        return USAGE
    for kind, status in _foreseen().items():
        if isinstance(error, kind):
            complain(str(error))
            return status
    if of_settings := _of_settings(error):
        complain(of_settings)
        return USAGE
    raise error


def _foreseen() -> dict[type[Exception], int]:
    """Failures whose message says all, and their exit status. What the roles stand on is loaded for
    their errors alone."""
    from app.broker import BrokerFailed
    from app.cli.job_file import Unusable
    from app.cli.preconditions import CannotStart
    from app.client import OtherRelease

    return {OtherRelease: FAILED, CannotStart: FAILED, BrokerFailed: FAILED, Unusable: USAGE}


def _of_settings(error: Exception) -> str | None:
    """Says which variable of the environment cannot be used, and why."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError) or error.title != "Settings":
        return None
    return "\n".join(f"KTL_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors())


def _of_a_file(error: OSError) -> str | None:
    """Says what is wrong with a file that the user named, or with where the output goes; None for
    any other failure."""
    if error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return f"cannot write: {error.strerror}" if error.errno == errno.ENOSPC else None


if __name__ == "__main__":
    main()
