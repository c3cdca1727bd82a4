"""Limits that the loops of a phase have turned out to have in this process."""

from dataclasses import dataclass

from worker.machine.device import IN_ORDER, adds_in_any_order
from worker.training.checkpoint import Backend
from worker.training.loop import Loop


@dataclass
class DeviceLimits:
    """The reasons, in the device's words; None where there is no such limit.

    `learns_lookups`: whether the phase learns rows of a table that items take.
    """

    learns_lookups: bool = False
    without_xla: str | None = None
    without_determinism: str | None = None

    def learn(self, loop: Loop, reason: str) -> None:
        """A refused loop names the next limit: XLA first, then the plain loop's equal bits."""
        if loop.backend == "xla":
            self.without_xla = reason
        else:
            self.without_determinism = reason

    def backend(self, wanted: Backend) -> Backend:
        return "plain" if self.without_xla else wanted

    def notes(self, phase: str, backend: Backend) -> list[str]:
        """Sentences for the report, of a phase that runs on `backend`."""
        found = []
        if self.without_xla:
            found.append(
                f"phase {phase} was trained without XLA, more slowly: this device cannot compile "
                f"it ({self.without_xla})"
            )
        if self.learns_lookups and backend == "xla" and adds_in_any_order():
            found.append(
                f"phase {phase} repeats and resumes in all but the last bits: XLA adds up what "
                "items say of one character in any order on this device; a worker that is started "
                f"with XLA_FLAGS={IN_ORDER[0]}=true keeps to one"
            )
        if self.without_determinism and backend == "plain":
            found.append(
                f"phase {phase} repeats and resumes in all but the last bits: an operation has no "
                f"deterministic form on this device ({self.without_determinism})"
            )
        return found
