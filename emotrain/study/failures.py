"""How a comparison fails."""

from __future__ import annotations


class ArmsFailed(RuntimeError):
    """At least one arm ended with an error; the message has the end of each log."""
