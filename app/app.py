"""A Hugging Face Space (Gradio) that shows what an adapter reads in a clip: the page of `emotrain app`.

The Space's variables say what is served: EMOTRAIN_ADAPTER (org/name@COMMIT), or EMOTRAIN_BASE and EMOTRAIN_LABELS for a
base alone. Without any it is the tiny base that ships with the package, which knows drawn faces only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping


def words(environment: Mapping[str, str]) -> list[str]:
    """The command line of the page; a Space routes the address that it gives Gradio, on port 7860."""
    adapter, base = environment.get("EMOTRAIN_ADAPTER"), environment.get("EMOTRAIN_BASE")
    said = ["emotrain", "app", "--host", "0.0.0.0", "--port", "7860"]
    if adapter:
        said += ["--adapter", adapter]
    if base or not adapter:
        said += ["--base", base or "tiny"]
    if not adapter:
        said += ["--label-set", environment.get("EMOTRAIN_LABELS", "mafw")]
    return said


if __name__ == "__main__":
    from emotrain.cli import main

    sys.argv = words(os.environ)
    main()
