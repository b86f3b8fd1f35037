"""Whether a text says that nothing moves, and nothing besides: "No visible change." in its many wordings.

A text is read clause by clause: "No visible change until 0.6 s, then the left brow rises" begins with a quiet clause
and tells of a change all the same.
"""

from __future__ import annotations

import re

_LEAD = (
    r"(?:(?:there|i|i'm|we|it|one|the|these|this|both|face|frames?|images?|pictures?|person|is|are|am|was|were|be|shows?|"
    r"has|have|seems?|appears?|to|can|cannot|can't|could|couldn't|do|don't|does|doesn't|did|didn't|isn't|aren't|not|"
    r"unable|able|clearly|really|reliably|see|observe|detect|notice|find|identify|discern|perceive|spot|make|out)\s)*"
)
_MOTION = r"(?:change|movement|motion|difference|shift|activity)s?"
_STILL = r"(?:still|unchanged|motionless|static|the same|at rest|identical)"
_QUIET = re.compile(
    rf"{_LEAD}(?:no|any|zero)\s(?:[a-z-]+\s){{0,3}}?{_MOTION}\b"
    r"|(?:nothing|no(?: facial)? muscles?)\s(?:[a-z]+ly\s)?(?:moves?|changes?|is moving|has moved|has changed)\b"
    rf"|(?:[a-z]+\s){{0,4}}?(?:is|are|remains?|stays?|keeps?|holds?)\s(?:[a-z]+ly\s)?{_STILL}\b(?!\s\w+ing\b)"
    r"|(?:unchanged|motionless)\b"
)
_QUIET_ZH = re.compile(
    r"(?:无|没有?|未见?|看不出|看不到|看不见|无法看[出到])(?:观察到|检测到|发现|出现)?(?:任何|明显|可见|显著|的)*"
    r"(?:变化|运动|动作|移动)|(?:保持|维持)(?:不变|静止)"
)

_FRAME_WORD = (
    r"(?:in|between|across|over|during|from|throughout|for|to|at|within|of|and|relative|compared|with|based|on|the|these|"
    r"this|all|both|first|last|next|given|s|seconds?|frames?|images?|clip|gap|interval|period|time|sequence|video|"
    r"keyframe|two|three|four|five|[\d.:–-]+)"
)
_ASIDE = re.compile(
    rf"{_FRAME_WORD}(?:\s{_FRAME_WORD})*"
    r"|(?:i'm |i am )?(?:very |so )?sorry|i apologi[sz]e|(?:my )?apologies|unfortunately|but|however|overall|[\W\d_]+"
)
"""A clause that neither tells of a change nor denies one: a time, the frames, a word of regret."""

_BREAK = re.compile(
    r"[,;:!?，。；！？、\n但而且]|然后|随后|[.](?=\s|$)|\s[-–—]\s|\b(?:but|then|until|before|after|while|whereas|except|besides|when|"
    r"although|though|apart from|other than|aside from)\b"
)


def is_quiet(text: str) -> bool:
    """Whether `text` says that nothing moves and tells of no change besides; an empty text says nothing."""
    told = [quiet for clause in _clauses(text) if (quiet := _said(clause)) is not None]
    return bool(told) and all(told)


def begins_quiet(text: str) -> bool:
    """Whether the first clause of `text` that speaks of the face says that nothing moves."""
    return next((quiet for clause in _clauses(text) if (quiet := _said(clause)) is not None), False)


def _clauses(text: str) -> list[str]:
    plain = text.replace("’", "'").lower()
    return [clause for part in _BREAK.split(plain) if (clause := part.strip(" *\"'()[]"))]


def _said(clause: str) -> bool | None:
    """True for "nothing moves", False for anything else that is told, None for an aside."""
    if _QUIET.match(clause) or _QUIET_ZH.search(clause):
        return True
    return None if _ASIDE.fullmatch(clause) else False
