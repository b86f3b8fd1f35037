"""What a motion text tells beside the events: where the picture was cut, and where the face could not be read.

These facts live in the text alone, so that a text can be told again for other gaps or at other times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from emotrain.records import Unread, Why

CUT = {"en": "{time_s:.2f} s: cut to another shot.", "zh": "{time_s:.2f} 秒：切换镜头。"}
"""The picture became another: what the face did before it and does after it is told apart."""

UNREAD: dict[str, dict[Why, str]] = {
    "en": {
        "unseen": "{start_s:.2f}-{end_s:.2f} s: face not seen.",
        "turned": "{start_s:.2f}-{end_s:.2f} s: face turned aside.",
        "small": "{start_s:.2f}-{end_s:.2f} s: face too small.",
    },
    "zh": {
        "unseen": "{start_s:.2f}-{end_s:.2f} 秒：看不到脸。",
        "turned": "{start_s:.2f}-{end_s:.2f} 秒：脸转向一侧。",
        "small": "{start_s:.2f}-{end_s:.2f} 秒：脸太小。",
    },
}


def sentences(cuts_s: Sequence[float], unread: Sequence[Unread], language: str) -> list[tuple[float, str]]:
    """(time, sentence) of every cut and every stretch that could not be read."""
    told = [(cut_s, CUT[language].format(time_s=cut_s)) for cut_s in cuts_s]
    told += [
        (part.start_s, UNREAD[language][part.why].format(start_s=part.start_s, end_s=part.end_s)) for part in unread
    ]
    return told


def cuts_of(text: str) -> list[float]:
    """The times in seconds of the cuts that a text tells of, in its order; both languages are read."""
    return [float(_NUMBER.findall(match[0])[0]) for match in _CUT.finditer(text)]


def unread_of(text: str) -> list[Unread]:
    """The stretches that a text says could not be read, in its order; both languages are read."""
    found = []
    for pattern, why in _UNREAD:
        for match in pattern.finditer(text):
            start, end = _NUMBER.findall(match[0])[:2]
            found.append((match.start(), Unread(float(start), float(end), why)))
    return [part for _, part in sorted(found, key=lambda entry: entry[0])]


def within(unread: Sequence[Unread], start_s: float, end_s: float) -> list[Unread]:
    """What of these stretches lies from `start_s` to `end_s`; slivers that two decimals cannot show are left out."""
    joined: list[Unread] = []
    for part in sorted(unread, key=lambda part: part.start_s):
        cut = replace(part, start_s=max(part.start_s, start_s), end_s=min(part.end_s, end_s))
        if joined and joined[-1].why == cut.why and cut.start_s - joined[-1].end_s < 0.01:
            joined[-1] = replace(joined[-1], end_s=max(joined[-1].end_s, cut.end_s))
        else:
            joined.append(cut)
    return [part for part in joined if part.end_s - part.start_s >= 0.01]


def shifted(unread: Sequence[Unread], move: Callable[[float], float]) -> list[Unread]:
    """The same stretches with both ends moved."""
    ends = (replace(part, start_s=move(part.start_s), end_s=move(part.end_s)) for part in unread)
    return [part for part in ends if part.end_s > part.start_s]


_NUMBER = re.compile(r"(\d+\.\d\d)")


def _pattern(template: str) -> str:
    return re.sub(r"\{\w+:\.2f\}", r"\\d+[.]\\d\\d", template.replace(".", "[.]").replace(":[.]2f", ":.2f"))


_CUT = re.compile("|".join(_pattern(template) for template in CUT.values()))
_UNREAD: list[tuple[re.Pattern[str], Why]] = [
    (re.compile("|".join(_pattern(UNREAD[language][why]) for language in UNREAD)), why) for why in UNREAD["en"]
]
