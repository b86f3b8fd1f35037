"""Recall against how long the expression lasts, in the frames that the model is really given."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from emotrain.evaluation.diagnostics.frame_counts import event_of
from emotrain.examples.examples import Examples
from emotrain.metrics.intervals import proportion
from emotrain.records import Clip

EDGES_S = (0.0, 0.25, 0.5, 1.0, 2.0, float("inf"))
"""Bounds of the bins: up to half a second an expression counts as a micro-expression."""


def by_duration(
    examples: Examples, clips: Sequence[Clip], logits: npt.NDArray[np.float64]
) -> list[dict[str, Any]] | None:
    """One row a bin of event length (offset - onset, seconds); None without annotated events.

    `recall` is the share of the bin's clips that are recognised (Wilson interval), `missed` the share of its events
    that none of the clip's keyframes lies in. Empty bins are left out.
    """
    rows = []
    annotated = [(clip, z, event) for clip, z in zip(clips, logits) if (event := event_of(clip)) is not None]
    for low, high in pairwise(EDGES_S):
        inside = [
            (examples.labels[int(z.argmax())] == clip.label, _missed(examples, clip, event), event[1] - event[0])
            for clip, z, event in annotated
            if low < event[1] - event[0] <= high
        ]
        if inside:
            hits, missed, lengths_s = zip(*inside)
            rows.append(
                {
                    "from_s": low,
                    "to_s": None if high == float("inf") else high,
                    "mean_s": float(np.mean(lengths_s)),
                    "clips": len(inside),
                    "recall": proportion(sum(hits), len(hits)),
                    "missed": float(np.mean(missed)),
                }
            )
    return rows if rows else None


def _missed(examples: Examples, clip: Clip, event: tuple[float, float]) -> bool:
    return not any(event[0] <= frame.time_s <= event[1] for frame in examples.keyframes(clip.clip_id))
