"""The words in which a vision-language model is asked what happens in a gap: what moves, never what it means.

`observe` says of what: `face` (muscles, never feelings), `objects`, or a sentence of one's own in which {frames},
{start_s} and {end_s} are filled in. The templates are Jinja files in `templates/`: observe_system.<language>.jinja and
observe.<language>.jinja for faces, observe_objects_system and observe_objects for anything else.
"""

from __future__ import annotations

import re
from typing import Any

from emotrain.context.budget import SENTENCE_END
from emotrain.context.gap_request import GapRequest
from emotrain.context.inline_pictures import inline_jpeg
from emotrain.context.prompt import PromptSettings, render
from emotrain.context.quiet import begins_quiet
from emotrain.emotions import nearest

OBSERVED = ("face", "objects")


def check_observe(observe: str) -> None:
    """Raise ValueError for a word that names no question and is no sentence."""
    if observe not in OBSERVED and len(observe.split()) < 2:
        raise ValueError(
            f"observe: {observe!r} is neither one of {', '.join(OBSERVED)} nor a sentence of your own; "
            f"{nearest(observe, OBSERVED)}"
        )


def observe_pieces(observe: str) -> tuple[str, str]:
    """The templates of the system's words and of the question; a sentence of one's own has those of `objects`."""
    return ("observe_system", "observe") if observe == "face" else ("observe_objects_system", "observe_objects")


def observe_messages(
    request: GapRequest, language: str, *, inline: bool, observe: str = "face"
) -> list[dict[str, Any]]:
    """A chat that shows the gap's frames with their times and asks for visible change since the first.

    With `inline` the pictures are data: URLs in the form of OpenAI's chat interface; otherwise `{"type": "image"}`
    parts, whose pictures go to a processor in the order of `request.pictures`.
    """
    settings = PromptSettings(language=language)
    parts: list[dict[str, Any]] = []
    for frame in request.pictures:
        parts.append({"type": "text", "text": render("keyframe", settings, time_s=frame.time_s)})
        parts.append(inline_jpeg(frame.image) if inline else {"type": "image"})
    system_piece, piece = observe_pieces(observe)
    frames, start_s, end_s = len(request.pictures), request.gap.start_s, request.gap.end_s
    if observe in OBSERVED:
        question = render(piece, settings, frames=frames, start_s=start_s, end_s=end_s)
    else:
        question = observe.replace("{frames}", str(frames))
        question = question.replace("{start_s}", f"{start_s:.2f}").replace("{end_s}", f"{end_s:.2f}")
    parts.append({"type": "text", "text": question})
    system = render(system_piece, settings)
    return [
        {"role": "system", "content": system if inline else [{"type": "text", "text": system}]},
        {"role": "user", "content": parts},
    ]


def cleaned(reply: str, max_sentences: int = 2) -> str:
    """The reply on one line, its first sentences, without thoughts, list marks, Markdown or a leading "Answer:".

    Each point of a list is a sentence.
    """
    text = " ".join(_points(spoken(reply)))
    text = " ".join(text.replace("*", " ").replace("#", " ").replace("`", " ").split())
    for lead in ("Answer:", "Summary:", "Observation:"):
        text = text.removeprefix(lead).strip()
    return " ".join([part.strip() for part in SENTENCE_END.split(text) if part.strip()][:max_sentences])


def spoken(reply: str) -> str:
    """The reply without what a reasoning model thought aloud; nothing when it was cut off while it thought.

    Some chat templates open the thought themselves, so that a reply has its end alone.
    """
    return _THOUGHT_END.split(_THOUGHT.sub(" ", reply))[-1].strip()


def is_refusal(reply: str) -> bool:
    """Whether a model declined to look at a face; one that looked and cannot see any change did not."""
    text = spoken(reply).strip(' *#"').lower().replace("’", "'")
    return bool(_REFUSAL.match(text)) and not begins_quiet(text)


_THOUGHT = re.compile(r"<(think|thinking|thought|reasoning)>.*?(?:</\1>|$)", re.DOTALL | re.IGNORECASE)
_THOUGHT_END = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_FIRST_POINT = re.compile(r"(?:^|(?<=[:.!?：。])\s*|\n\s*)\(?1[.)、]\s+(?=\D)")
_POINT = re.compile(r"\s*(?:[-*+•–—]\s+|\(?\d{1,2}[.)、]\s+(?=\D))")

_REFUSAL = re.compile(
    r"(?:(?:i'm|i am) )?(?:(?:very|so|truly|really) )?sorry\b|(?:i|my) apolog\w+|apologies\b|as an ai\b"
    r"|(?:(?:unfortunately|regrettably),? )?(?:"
    r"i (?:can't|cannot|can not|won't|will not|decline|refuse|(?:must|have to) decline)\b"
    r"|i (?:don't|do not) feel comfortable\b|(?:i'm|i am) (?:unable|not (?:able|comfortable|allowed|permitted))\b"
    r"|it(?:'s| is) not (?:possible|appropriate)\b)"
    r"|(?:很?抱歉|对不起|(?:很?遗憾[,，]?)?我?(?:无法|不能|不便))"
)
"""How a reply begins that declines."""


def _points(text: str) -> list[str]:
    """The lines of a text, the points of a list each on one line, unmarked and closed like a sentence."""
    start = _FIRST_POINT.search(text)
    number = 1
    while start is not None:  # "1. Brows lower. 2. Lips part." on one line
        text = f"{text[: start.start()]}\n{text[start.start() :].lstrip()}"
        number += 1
        start = re.compile(rf"\s+\(?{number}[.)、]\s+(?=\D)").search(text, start.end())
    points = []
    for line in text.splitlines():
        mark = _POINT.match(line)
        point = line[mark.end() :].strip() if mark else line.strip()
        if mark and point and point[-1] not in ".!?;:,。！？；：，":
            point += "." if point.isascii() else "。"
        points.append(point)
    return points
