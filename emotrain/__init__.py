"""emotrain teaches vision-language models to recognise human emotion in video, rare and fleeting ones included.

emotrain.load("org/name").predict("clip.mp4") reads a clip with a trained adapter.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# TRL reports every training to the Hub unless this is set before huggingface_hub is imported.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
__all__ = ["__version__", "load"]

if TYPE_CHECKING:
    from emotrain.inference.recogniser import load


def __getattr__(name: str) -> Any:
    # Model libraries take seconds to import, and most of this package does without them.
    if name == "load":
        from emotrain.inference.recogniser import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
