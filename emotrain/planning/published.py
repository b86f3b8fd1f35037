"""The table of published shapes: what is known of a model before its checkpoint is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PUBLISHED = Path(__file__).parent / "published_shapes.json"
"""Config values that the authors publish on the Hub, for planning before a checkpoint is there; the parameters that the
built model has agree with the published count of each (tested)."""


def published() -> dict[str, dict[str, Any]]:
    """The table of published shapes by Hub id: `config`, `image` bounds, `parameters_b` in billions."""
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))
