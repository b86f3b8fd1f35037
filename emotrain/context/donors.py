"""Whose summaries a clip is given when a control swaps them: another clip of the same class, of another, or of any.

A donor comes from the same part (train, validation, test) as the clip it lends to, so that no control carries words
across the split. The choice is a pure function of (clips, clip id, seed).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from emotrain.context.moving import moved
from emotrain.records import Summary
from emotrain.stable_hash import stable_hash

Relation = Literal["same_class", "other_class", "any"]


@dataclass(frozen=True, slots=True)
class Lender:
    """A clip that can lend its summaries: its label, and the part of the data set that it belongs to."""

    clip_id: str
    label: str
    part: str


class Donors:
    """Finds a donor for every clip of a data set."""

    def __init__(self, lenders: Sequence[Lender], seed: int = 0) -> None:
        self._known = {lender.clip_id: lender for lender in lenders}
        self._by_part: dict[str, list[Lender]] = defaultdict(list)
        self._by_class: dict[tuple[str, str], list[Lender]] = defaultdict(list)
        # Sorted by a hash, the list is shuffled and yet the same for every order of `lenders`.
        for lender in sorted(lenders, key=lambda lender: stable_hash(f"{seed}/{lender.clip_id}")):
            self._by_part[lender.part].append(lender)
            self._by_class[lender.part, lender.label].append(lender)
        self._seed = seed

    def donor(self, clip_id: str, relation: Relation) -> str:
        """Id of the clip that lends to `clip_id`; raises ValueError when the part holds no other clip that fits."""
        mine = self._known[clip_id]
        pool = self._by_class[mine.part, mine.label] if relation == "same_class" else self._by_part[mine.part]
        start = stable_hash(f"{self._seed}/{relation}/{clip_id}") % len(pool)
        for step in range(len(pool)):
            lender = pool[(start + step) % len(pool)]
            if lender.clip_id != clip_id and (relation != "other_class" or lender.label != mine.label):
                return lender.clip_id
        raise ValueError(
            f"clip {clip_id!r} ({mine.label}, {mine.part}): no other clip to take summaries from for relation "
            f"{relation!r}; the part needs at least two clips of a class, and two classes"
        )


def lend(borrower: Sequence[Summary], lender: Sequence[Summary], language: str = "en") -> list[Summary]:
    """The borrower's gaps with the lender's words, gap by gap; a gap that the lender lacks has none.

    Events move by the difference of the two gaps' starts and are told again in `language`.
    """
    words = {summary.gap: summary for summary in lender}
    end_s = max((gap.end_s for gap in borrower), default=0.0)
    return [_refill(gap, words.get(gap.gap), end_s, language) for gap in borrower]


def _refill(gap: Summary, words: Summary | None, end_s: float, language: str) -> Summary:
    if words is None:
        return replace(gap, text="", changed=False, events=())
    return moved(gap, words, end_s, language)
