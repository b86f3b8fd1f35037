"""Which class a clip counts as, and which group (subject, source) it belongs to within its class.

A compound clip (MAFW: anger_disgust) can count as its own `label`, as the `rarest` of its labels, which is what the
repeat factor of LVIS does with several objects in an image, or as a class of its own, `joint`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from emotrain.balance.draws import Stratum, capped_shares
from emotrain.emotions import nearest
from emotrain.records import Clip

Compound = Literal["label", "rarest", "joint"]
GroupBy = Literal["subject", "source"]


def classes_of(clips: Sequence[Clip], compound: str = "label") -> dict[str, str]:
    """The class that each clip id counts as. Raises ValueError for an id that occurs twice."""
    if compound not in get_args(Compound):
        raise ValueError(f"compound {compound!r} is unknown; {nearest(compound, get_args(Compound))}")
    repeated = [clip_id for clip_id, n in Counter(clip.clip_id for clip in clips).items() if n > 1]
    if repeated:
        raise ValueError(
            f"clip id {repeated[0]!r} occurs more than once ({len(repeated)} such ids); ids must be unique"
        )
    if compound == "label":
        return {clip.clip_id: clip.label for clip in clips}
    if compound == "joint":
        return {clip.clip_id: "_".join(sorted(_labels(clip))) for clip in clips}
    counts = Counter(label for clip in clips for label in _labels(clip))
    return {clip.clip_id: min(_labels(clip), key=lambda label: (counts[label], label)) for clip in clips}


def strata_of(
    clips: Sequence[Clip], classes: Mapping[str, str], group_by: str | None = None, group_cap: float | None = None
) -> dict[str, Stratum]:
    """The strata to draw from, sorted by name whatever the order of the clips.

    With `group_by` no subject (or source) gets more than `group_cap` of a class's draws; a class where none would stays
    in one piece. A clip whose subject is not known is a group of its own.
    """
    _check_grouping(clips, group_by, group_cap)
    by_class: dict[str, list[Clip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: clip.clip_id):
        by_class[classes[clip.clip_id]].append(clip)
    return {name: _stratum(by_class[name], group_by, group_cap) for name in sorted(by_class)}


def group_of(clip: Clip, group_by: str) -> str:
    """Name of the clip's group; an unknown subject or source gives the clip a group of its own."""
    name = getattr(clip, group_by)
    return f"clip {clip.clip_id}" if name is None else f"{group_by} {name}"


def _stratum(clips: Sequence[Clip], group_by: str | None, group_cap: float | None) -> Stratum:
    whole = Stratum({"": [clip.clip_id for clip in clips]}, {"": 1.0})
    if group_by is None or group_cap is None:
        return whole
    groups: dict[str, list[str]] = defaultdict(list)
    for clip in clips:
        groups[group_of(clip, group_by)].append(clip.clip_id)
    sizes = {group: len(ids) for group, ids in sorted(groups.items())}
    if max(sizes.values()) <= group_cap * len(clips):
        return whole
    return Stratum({group: groups[group] for group in sizes}, capped_shares(sizes, group_cap))


def _labels(clip: Clip) -> tuple[str, ...]:
    return clip.labels if len(clip.labels) > 0 else (clip.label,)


def _check_grouping(clips: Sequence[Clip], group_by: str | None, group_cap: float | None) -> None:
    if (group_by is None) != (group_cap is None):
        raise ValueError(f"group_by={group_by} and group_cap={group_cap}: give both or neither")
    if group_by is None or group_cap is None:
        return
    if group_by not in get_args(GroupBy):
        raise ValueError(f"group_by {group_by!r} is unknown; {nearest(group_by, get_args(GroupBy))}")
    if not 0.0 < group_cap < 1.0:
        raise ValueError(
            f"group_cap {group_cap}: expected a share of a class's draws between 0 and 1, for example 0.25"
        )
    if all(getattr(clip, group_by) is None for clip in clips):
        raise ValueError(f"group_by={group_by!r}, but no clip has a {group_by}; leave group_by and group_cap out")
