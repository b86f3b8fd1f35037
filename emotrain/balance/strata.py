"""Which class a clip counts as, and which group (subject, source) it belongs to within its class.

A compound clip (MAFW: anger_disgust) can count as its own `label`, as the `rarest` of its labels, which is what the
repeat factor of LVIS does with several objects in an image, or as a class of its own, `joint`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from emotrain.balance.draws import Stratum, capped_shares, too_few
from emotrain.records import Clip


def classes_of(clips: Sequence[Clip], compound: str = "label") -> dict[str, str]:
    """The class that each clip id counts as. Raises ValueError for an id that occurs twice."""
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

    With `group_by` no subject (or source) gets more than `group_cap` of a class's draws. A class where none would stays
    in one piece, and so does one with too few groups for the cap (`over_cap` names them): evening them out would draw
    the one clip of a subject over and over. A clip whose subject is not known is a group of its own. Raises ValueError
    when none is known.
    """
    if group_by is not None and all(getattr(clip, group_by) is None for clip in clips):
        raise ValueError(f"group_by={group_by!r}, but no clip has a {group_by}; leave group_by and group_cap out")
    return {name: _stratum(mine, group_by, group_cap) for name, mine in _by_class(clips, classes).items()}


def over_cap(
    clips: Sequence[Clip], classes: Mapping[str, str], group_by: str | None = None, group_cap: float | None = None
) -> dict[str, float]:
    """The classes that have too few groups to keep the cap, and the share of its draws that the largest group gets."""
    if group_by is None or group_cap is None:
        return {}
    sizes = {
        name: Counter(group_of(clip, group_by) for clip in mine) for name, mine in _by_class(clips, classes).items()
    }
    return {name: max(n.values()) / n.total() for name, n in sizes.items() if too_few(len(n), group_cap)}


def group_of(clip: Clip, group_by: str) -> str:
    """Name of the clip's group; an unknown subject or source gives the clip a group of its own."""
    name = getattr(clip, group_by)
    return f"clip {clip.clip_id}" if name is None else f"{group_by} {name}"


def _by_class(clips: Sequence[Clip], classes: Mapping[str, str]) -> dict[str, list[Clip]]:
    found: dict[str, list[Clip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda clip: clip.clip_id):
        found[classes[clip.clip_id]].append(clip)
    return dict(sorted(found.items()))


def _stratum(clips: Sequence[Clip], group_by: str | None, group_cap: float | None) -> Stratum:
    whole = Stratum({"": [clip.clip_id for clip in clips]}, {"": 1.0})
    if group_by is None or group_cap is None:
        return whole
    groups: dict[str, list[str]] = defaultdict(list)
    for clip in clips:
        groups[group_of(clip, group_by)].append(clip.clip_id)
    sizes = {group: len(ids) for group, ids in sorted(groups.items())}
    if max(sizes.values()) <= group_cap * len(clips) or too_few(len(sizes), group_cap):
        return whole
    return Stratum({group: groups[group] for group in sizes}, capped_shares(sizes, group_cap))


def _labels(clip: Clip) -> tuple[str, ...]:
    return clip.labels if len(clip.labels) > 0 else (clip.label,)
