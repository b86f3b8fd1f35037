"""What a draw is trained towards: its label, or the shares of its annotators' votes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from emotrain.balance.manifest import Manifest
from emotrain.launched import launched_place
from emotrain.records import Clip

VOTES = "votes"
"""Column of the draws that holds their vote shares, where the recipe says `targets: votes`."""


def target_of(rows: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Tensor:
    """The targets of a batch: label positions (B,) int64, or vote shares (B, C) float32 where the rows have them.

    Raises ValueError for a label outside the set.
    """
    positions = [_position(row, labels) for row in rows]
    if rows and VOTES in rows[0]:
        return torch.tensor([row[VOTES] for row in rows], dtype=torch.float32)
    return torch.tensor(positions)


def vote_shares(clip: Clip, labels: Sequence[str]) -> list[float] | None:
    """The clip's votes for each of `labels`, summing to one; None where nobody voted for any of them."""
    votes = clip.votes if clip.votes is not None else {}
    known = [votes.get(label, 0.0) for label in labels]
    total = sum(known)
    return [share / total for share in known] if total > 0 else None


def drawn_votes(manifest: Manifest, clips: Sequence[Clip], labels: Sequence[str]) -> dict[str, list[float]]:
    """Vote shares (C,) of every drawn clip by its id; a clip without votes has its label's, and their number is told.

    Raises ValueError when no drawn clip has votes: the run would be one on hard labels.
    """
    label_of = {draw.clip_id: draw.label for draw in manifest.draws}
    found = {clip.clip_id: vote_shares(clip, labels) for clip in clips if clip.clip_id in label_of}
    without = [clip_id for clip_id, shares in found.items() if shares is None]
    if len(without) == len(found):
        raise ValueError(
            f"targets: votes, but none of the {len(found)} drawn clips has votes for {', '.join(labels)}; index a data "
            "set with its annotation file of votes (docs/datasets.md), or say targets: hard"
        )
    if without and launched_place()[0] == 0:
        print(
            f"targets: votes: {len(without)} of {len(found)} drawn clips have no votes and keep their label "
            f"(first {min(without)!r})",
            file=sys.stderr,
        )
    return {
        clip_id: shares if shares is not None else [float(label == label_of[clip_id]) for label in labels]
        for clip_id, shares in found.items()
    }


def _position(row: Mapping[str, Any], labels: Sequence[str]) -> int:
    if row["label"] not in labels:
        raise ValueError(
            f"clip {row['clip_id']!r} has the label {row['label']!r}, which is not in the label set "
            f"({', '.join(labels)}); set label_set in the recipe or index the data again"
        )
    return labels.index(row["label"])
