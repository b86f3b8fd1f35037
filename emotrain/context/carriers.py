"""What carries the time between keyframes to the model: sentences, or a rival of them at the same cost.

A carrier either words a clip's summaries otherwise, or shows one picture more in their place. A new one is a small file
and an entry here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from emotrain.context.carrier_pictures import contact_sheet, difference
from emotrain.context.number_words import in_numbers
from emotrain.records import Frame, Summary

Show = Callable[[Sequence[Frame], Sequence[Summary]], Frame]
"""All stored frames of a clip in time order and its summaries in, one further keyframe out."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """`word` words summaries as they were made, before any control, so that controls and budgets act on its words;
    `show` makes a picture in place of all words, and needs frames between the keyframes."""

    word: Callable[[Sequence[Summary]], list[Summary]] = list
    show: Show | None = None


CARRIERS: Mapping[str, Carrier] = {
    "summaries": Carrier(),
    "numbers": Carrier(word=in_numbers),
    "contact_sheet": Carrier(show=contact_sheet),
    "difference": Carrier(show=difference),
}

PICTURES = tuple(name for name, carrier in CARRIERS.items() if carrier.show is not None)


def carried(
    carrier: Carrier, frames: Sequence[Frame], told: Sequence[Summary], stored: Callable[[], Sequence[Frame]]
) -> tuple[list[Frame], Sequence[Summary]]:
    """The keyframes to show and the summaries to tell; `stored` looks up all frames of the clip where a picture needs
    them."""
    if carrier.show is None:
        return list(frames), told
    return sorted([*frames, carrier.show(stored(), told)], key=lambda frame: frame.time_s), ()
