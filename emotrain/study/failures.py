"""How a comparison fails."""

from __future__ import annotations


class ArmsFailed(RuntimeError):
    """At least one arm ended with an error; the message has the end of each log."""


class ArmsStopped(RuntimeError):
    """A batch script asked for a stop before all arms were done; a further run goes on from there."""
