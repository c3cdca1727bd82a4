"""`ktl submit`, `ktl watch` and the other commands about jobs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.next_labels import next_labels
from app.cli.options import AsJson, JobRef, not_empty
from app.cli.resources import LOOK, LookCommand, ResourceGroup

if TYPE_CHECKING:
    from app.client import Client, Event
    from app.jobs.schemas import JobOut

StatusOption = Annotated[
    str | None,
    typer.Option(
        metavar="STATUS", help="Only these: queued, running, paused, succeeded, failed, cancelled."
    ),
]
LimitOption = Annotated[int, typer.Option(min=1, help="So many of the newest.")]
ArmOption = Annotated[str | None, typer.Option(help="Only this arm.")]
SHOWN_METRICS = (
    *("loss", "accuracy", "f1_micro", "f1_macro", "balanced_accuracy", "auc", "map"),
    *("mae", "rmse", "r2"),
)


def register(app: typer.Typer) -> None:
    panel = "Jobs"
    evidence = (metrics, report, predictions)
    for command in (watch, job, *evidence, *STEERING):
        app.command(rich_help_panel=panel)(command)
    of_jobs = typer.Typer(
        help="List jobs; show one (`ktl jobs NAME`); steer, delete or ask one.", cls=ResourceGroup
    )
    of_jobs.command(LOOK, hidden=True, cls=LookCommand)(look)
    of_jobs.command("list")(list_jobs)
    of_jobs.command("show")(job)
    for command in (*STEERING, delete):
        of_jobs.command()(command)
    of_jobs.command("next-labels")(next_labels)
    app.add_typer(of_jobs, name="jobs", rich_help_panel=panel)


def watch(job_id: JobRef, as_json: AsJson = False) -> None:
    """Follow a job to its end. Exit status 0 when it succeeded, 1 when not."""
    from app.client import Client

    with Client() as client:
        follow(client, job_id, as_json)


def look(
    name: Annotated[
        str | None, typer.Argument(metavar="JOB", help="Show this one.", callback=not_empty)
    ] = None,
    status: StatusOption = None,
    limit: LimitOption = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs; or show one."""
    if name:
        job(name, as_json)
    else:
        list_jobs(status, limit, as_json)


def list_jobs(
    status: StatusOption = None, limit: LimitOption = 20, as_json: AsJson = False
) -> None:
    """List jobs, newest first."""
    from itertools import islice

    from app.cli import output, progress
    from app.client.ktl import Client

    with Client() as client:
        found = list(islice(client.jobs.list(status), limit))
    if as_json:
        output.print_json(found)
        return
    output.print_table(
        ["name", "status", "progress", "trials", "created", "id"],
        [
            (
                j.name,
                progress.stage(j),
                f"{j.progress:.0%}",
                progress.trials(j),
                output.to_the_second(j.created_at),
                j.id,
            )
            for j in found
        ],
    )


def job(job_id: JobRef, as_json: AsJson = False) -> None:
    """Show one job."""
    from app.client import Client

    with Client() as client:
        _show(client.jobs.get(job_id), as_json)


def metrics(
    job_id: JobRef,
    arm: ArmOption = None,
    csv: Annotated[bool, typer.Option("--csv", help="Every epoch, as CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the trials of a job and their metrics on the test items."""
    from app.cli import output
    from app.client import Client
    from app.jobs.page.numbers import metric

    with Client() as client:
        if csv:
            output.print_text(client.jobs.metrics_csv(job_id, arm))
            return
        found = client.jobs.metrics(job_id, arm)
    if as_json:
        output.print_json(found)
        return
    tested = next((trial.test for trial in found.trials if trial.test), {})
    names = [name for name in SHOWN_METRICS if name in tested]
    output.print_table(
        ["arm", "seed", "status", "epochs", *map(metric, names), "trial"],
        [
            (
                trial.arm,
                trial.seed,
                trial.status,
                sum(epoch["split"] == "train" for epoch in trial.epochs),
                *(f"{trial.test[name]:.6g}" if trial.test else None for name in names),
                trial.id,
            )
            for trial in found.trials
        ],
    )


def report(
    job_id: JobRef,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it as a page to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the evidence: did the transfer help, and by how much."""
    from app.cli import output, verdict
    from app.client import Client

    with Client() as client:
        if html:
            html.write_text(client.jobs.report_page(job_id), encoding="utf-8")
            output.out.print(str(html), markup=False)
            return
        found = client.jobs.report(job_id)
        names = () if as_json else client.jobs.get(job_id).source_names
    if as_json:
        output.print_json(found)
    else:
        verdict.show(found, names)


def predictions(
    job_id: JobRef,
    target: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file; JOB.zip if not given.")
    ] = None,
) -> None:
    """Download every trial's predictions: all that the report is made from, as a zip."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        written = client.jobs.predictions(job_id, target or Path(f"{job_id}.zip"))
    output.out.print(str(written), markup=False)


def cancel(job_id: JobRef, as_json: AsJson = False) -> None:
    """End a job. What has finished by then is still reported."""
    from app.client import Client

    with Client() as client:
        _show(client.jobs.cancel(job_id), as_json)


def pause(job_id: JobRef, as_json: AsJson = False) -> None:
    """Let a job rest; `resume` goes on where it stopped."""
    from app.client import Client

    with Client() as client:
        _show(client.jobs.pause(job_id), as_json)


def resume(job_id: JobRef, as_json: AsJson = False) -> None:
    """Go on with a paused job."""
    from app.client import Client

    with Client() as client:
        _show(client.jobs.resume(job_id), as_json)


def retry(job_id: JobRef, as_json: AsJson = False) -> None:
    """Run again what failed in a job; what succeeded stays."""
    from app.client import Client

    with Client() as client:
        _show(client.jobs.retry(job_id), as_json)


def delete(job_id: JobRef, as_json: AsJson = False) -> None:
    """Delete an ended job with its trials and files. Its models stay."""
    from app.cli import output
    from app.client import Client

    with Client() as client:
        client.jobs.delete(job_id)
    if as_json:
        output.print_json({"job": job_id, "deleted": True})


STEERING = (cancel, pause, resume, retry)


def follow(client: "Client", job_id: str, as_json: bool) -> None:
    """Shows the job until it has ended, then leaves with its exit status."""
    from app.cli import output, progress, verdict

    def print_event(job: "JobOut", event: "Event | None") -> None:
        if event:
            output.print_json_line({"event": event.kind, "number": int(event.number), **event.data})

    try:
        if as_json:
            ended = client.jobs.wait(job_id, print_event)
            output.print_json_line(ended)
        else:
            job = client.jobs.get(job_id)
            job_id = job.id
            output.out.print(f"{job.name} ({job.id})", markup=False)
            with progress.shown(output.err) as show:
                ended = client.jobs.wait(job_id, show)
            if ended.report:
                verdict.show(client.jobs.report(job_id), ended.source_names)
            _show_end(ended)
    except KeyboardInterrupt:
        output.complain(f"{job_id} goes on; `ktl watch {job_id}` follows it again")
        raise typer.Exit(130) from None
    raise typer.Exit(ended.status != "succeeded")


def _show(job: "JobOut", as_json: bool) -> None:
    from app.cli import output, progress

    if as_json:
        output.print_json(job)
        return
    output.print_fields(
        {
            "name": job.name,
            "id": job.id,
            "status": job.status,
            "stage": job.stage,
            "progress": f"{job.progress:.0%}, {progress.trials(job)}",
            "time left": progress.eta(job),
            "sources": ", ".join(map(_both, job.source_names, job.sources)),
            "target": _both(job.target_name, job.target),
            "models": ", ".join(job.models),
            "deployment": job.deployment,
            "report": job.report and f"ktl report {job.id}",
            "stopped by": job.stop_reason,
            "error": job.error and f"{job.error.code} at {job.error.stage}: {job.error.message}",
            "created": f"{job.created_at:%F %T %Z}",
        }
    )


def _both(name: str, reference: str) -> str:
    """`letters (ds_…)`; once where they are the same."""
    return f"{name} ({reference})" if name != reference else reference


def _show_end(job: "JobOut") -> None:
    from app.cli import output, progress

    if job.error:
        where = f" at {job.error.stage}" if job.error.stage else ""
        output.complain(f"{job.status}{where}: {job.error.code}: {job.error.message}")
    elif job.deployment:
        output.out.print(f"deployed as {job.deployment}: `ktl predict {job.deployment} FILE`")
    elif job.status != "succeeded":
        output.complain(f"{job.status}, {progress.trials(job)}")
