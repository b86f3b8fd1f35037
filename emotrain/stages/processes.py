"""Child processes that end with their parent, also when the parent is killed and cannot tell them."""

from __future__ import annotations

import os
import threading
import time

PARENT = "EMOTRAIN_PARENT"
"""Environment variable that names the process a command was started by."""


def end_with_parent(parent: int) -> None:
    """End this process within half a second of the end of `parent`, its parent."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def end_with_starter() -> None:
    """`end_with_parent` when another emotrain command started this one (it says so in the environment)."""
    parent = os.environ.get(PARENT)
    if parent is not None:
        end_with_parent(int(parent))
