"""A job while it runs: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from app.client import Event
from app.client.house import OnChange
from app.client.ktl._sync.jobs import ENDED

if TYPE_CHECKING:
    from rich.progress import TextColumn

    from app.client.ktl.answers import Job
    from app.jobs.schemas import JobOut

PRECISE_MINUTES = 10
QUIET_SECONDS = 30.0


@contextmanager
def shown(console: Console) -> Iterator[OnChange]:
    """Gives what `client.jobs.wait` calls at each change."""
    if not console.is_terminal:
        yield _PlainLines(console)
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TimeElapsedColumn

    bar = Progress(
        SpinnerColumn(),
        _text("{task.description:<11}"),
        BarColumn(),
        _text("{task.percentage:>3.0f} %"),
        _text("{task.fields[trials]}"),
        _text("{task.fields[news]}", style="dim"),
        TimeElapsedColumn(),
        _text("{task.fields[eta]}"),
        console=console,
    )
    with bar:
        task = bar.add_task("queued", total=1.0, trials="", news="", eta="")
        news = _News()

        def show(job: "JobOut", event: Event | None) -> None:
            bar.update(
                task,
                description=stage(job),
                completed=job.progress,
                trials=trials(job),
                news=news.after(event),
                eta=eta(job),
            )

        yield show


def _text(template: str, style: str = "none") -> "TextColumn":
    from rich.progress import TextColumn  # a listing of jobs needs none

    return TextColumn(template, style=style, markup=False)


class _PlainLines:
    """One line a stage and a trial that ended, and one every half minute in which the job has
    moved; epochs would fill a log."""

    def __init__(self, console: Console) -> None:
        self._console, self._last, self._news = console, "", _News()
        self._progress, self._said = 0.0, time.monotonic()

    def __call__(self, job: "JobOut", event: Event | None) -> None:
        news = self._news.after(event)
        milestone = f"{stage(job)} {trials(job)}"
        is_quiet = time.monotonic() - self._said < QUIET_SECONDS or job.progress == self._progress
        if milestone == self._last and is_quiet:
            return
        self._last, self._progress, self._said = milestone, job.progress, time.monotonic()
        words = [stage(job), f"{job.progress:.0%}", trials(job), news, eta(job)]
        line = ", ".join(word for word in words if word)
        self._console.print(Text(f"{datetime.now():%H:%M:%S} {line}"), soft_wrap=True)


class _News:
    """The latest epoch, in a few words."""

    def __init__(self) -> None:
        from app.tasks import TASKS

        self._words = ""
        self._metrics = [task.default_metric for task in TASKS.values()]

    def after(self, event: Event | None) -> str:
        if event and event.kind == "epoch":
            data = event.data
            shown = next((name for name in self._metrics if data.get(name) is not None), None)
            self._words = f"{data['arm']} seed {data['seed']}: {data['phase']} {data['epoch']}"
            if shown:
                self._words += f", {data['split']} {shown} {data[shown]:.3f}"
        return self._words


def stage(job: "JobOut | Job") -> str:
    return job.status if job.status in ENDED or job.status == "paused" else job.stage


def trials(job: "JobOut | Job") -> str:
    total = sum(job.trials.values())
    if job.status in {"failed", "cancelled"}:
        return f"{job.trials.get('succeeded', 0)} of {total} trials finished"
    ended = sum(count for status, count in job.trials.items() if status in ENDED)
    return f"{ended}/{total} trials"


def eta(job: "JobOut") -> str:
    if job.status != "running" or job.eta_seconds is None:
        return ""
    return f"about {duration(job.eta_seconds)} left"


def duration(seconds: float) -> str:
    """`50 s`, `2 min 05 s`, `14 min`, `3 h 20 min`: no more precise than an estimate is."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    if minutes < PRECISE_MINUTES:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
