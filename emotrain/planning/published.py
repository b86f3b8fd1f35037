"""The table of published shapes: what is known of a model before its checkpoint is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PUBLISHED = Path(__file__).parent / "published_shapes.json"
"""Config values for planning before a checkpoint is there. The model built from them has the published number of
parameters (tested)."""


def published() -> dict[str, dict[str, Any]]:
    """The table of published shapes by Hub id.

    `source` says where `config` comes from. `published` has a number of `parameters`, what it is a count `of` ("model",
    or "language_model" where only that part's is known), and by whom; `image` has the processor's bounds.
    """
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))
