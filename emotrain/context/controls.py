"""What is done to a clip's summaries before the prompt is laid out: control, faults, budget, in that order.

Nothing is done by default. Each setting is a recipe key, so that every claim about context can be put to the test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from emotrain.context.budget import fit_budget
from emotrain.context.corruption import FAULTS, corrupt
from emotrain.context.donors import Donors, lend
from emotrain.context.rearrange import reorder, static_text
from emotrain.emotions import nearest
from emotrain.records import Summary

Control = Literal["none", "shuffled", "reversed", "static", "any", "same_class", "other_class"]
CONTROLS: tuple[Control, ...] = ("none", "shuffled", "reversed", "static", "any", "same_class", "other_class")
LENT: tuple[Control, ...] = ("any", "same_class", "other_class")
"""Another clip's words. Those of `any` clip say nothing of the label. `same_class` is an oracle: it picks by the true
label. `other_class` picks by it too and says what the label is not: all of it among two classes, .59 of 1.58 bit among
three."""
NO_FAULT = "none"


@dataclass(frozen=True, slots=True)
class Controls:
    """`control` replaces or moves all words of a clip; `corrupt` makes `corrupt_share` (0-1) of its gaps wrong;
    `max_tokens` bounds the tokens of all its summaries; `seed` is that of every random choice."""

    control: str = "none"
    corrupt: str = NO_FAULT
    corrupt_share: float = 0.0
    max_tokens: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.control not in CONTROLS:
            raise ValueError(
                f"context_control: {self.control!r} is not one of {', '.join(CONTROLS)}; "
                f"{nearest(self.control, CONTROLS)}"
            )
        if self.corrupt not in (NO_FAULT, *FAULTS):
            known = (NO_FAULT, *FAULTS)
            raise ValueError(
                f"corrupt_summaries: {self.corrupt!r} is not one of {', '.join(known)}; {nearest(self.corrupt, known)}"
            )
        if not 0.0 <= self.corrupt_share <= 1.0:
            raise ValueError(f"corrupt_share: {self.corrupt_share} is not between 0 and 1")
        if (self.corrupt == NO_FAULT) != (self.corrupt_share == 0.0):
            raise ValueError(
                f"corrupt_summaries: {self.corrupt} with corrupt_share: {self.corrupt_share} changes nothing; give "
                "both or none"
            )
        if self.max_tokens is not None and self.max_tokens < 0:
            raise ValueError(f"max_summary_tokens: {self.max_tokens} is below 0")

    @property
    def needs_donors(self) -> bool:
        """Whether other clips lend their summaries."""
        return self.control in LENT or self.corrupt == "swap"

    @property
    def needs_tokenizer(self) -> bool:
        """Whether tokens are counted."""
        return self.control == "static" or self.max_tokens is not None


def controlled(
    clip_id: str,
    of_clip: Callable[[str], Sequence[Summary]],
    controls: Controls,
    *,
    donors: Donors | None,
    count_tokens: Callable[[str], int],
    language: str = "en",
) -> list[Summary]:
    """The summaries of a clip as `controls` want them told; `of_clip` looks up those of any clip.

    `language` is that of words told anew. A clip without summaries (quarantined) keeps none: it has no gaps that
    another clip's words could fill. Raises ValueError when a donor is needed and there is none.
    """
    summaries = list(of_clip(clip_id))
    if not summaries:
        return []
    if controls.control in LENT:
        donor = _need(donors).donor(clip_id, controls.control)  # type: ignore[arg-type]
        summaries = lend(summaries, of_clip(donor), language)
    elif controls.control in ("shuffled", "reversed"):
        summaries = reorder(summaries, controls.control, controls.seed, language)  # type: ignore[arg-type]
    elif controls.control == "static":
        summaries = static_text(summaries, count_tokens)
    if controls.corrupt != NO_FAULT:
        summaries = corrupt(
            summaries,
            controls.corrupt,  # type: ignore[arg-type]
            controls.corrupt_share,
            seed=controls.seed,
            other=lambda: of_clip(_need(donors).donor(clip_id, "any")),
            language=language,
        )
    return summaries if controls.max_tokens is None else fit_budget(summaries, controls.max_tokens, count_tokens)


def _need(donors: Donors | None) -> Donors:
    if donors is None:
        raise ValueError("controls: other clips' summaries are needed and no donors were given")
    return donors
