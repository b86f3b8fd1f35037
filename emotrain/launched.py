"""Which of the processes of `accelerate launch` this one is, and what the first of them says."""

from __future__ import annotations

import os
from typing import TypeVar

Value = TypeVar("Value")


def launched_place() -> tuple[int, int]:
    """This process's number and how many there are; (0, 1) for a process started by itself."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def from_first(value: Value) -> Value:
    """The value that the first process has, on every process: what is read from a disk may not look alike to all."""
    from accelerate.utils import broadcast_object_list

    values = [value]
    broadcast_object_list(values)
    return values[0]
