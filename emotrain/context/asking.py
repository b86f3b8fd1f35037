"""The words in which a vision-language model is asked what happens in a gap: facial muscles, never feelings.

The two templates are Jinja files in `templates/`: observe_system.<language>.jinja and observe.<language>.jinja.
"""

from __future__ import annotations

import base64
from typing import Any

from emotrain.context.budget import SENTENCE_END
from emotrain.context.gap_request import GapRequest
from emotrain.context.prompt import PromptSettings, render


def observe_messages(request: GapRequest, language: str, *, inline: bool) -> list[dict[str, Any]]:
    """A chat that shows the gap's frames with their times and asks for visible change since the first.

    With `inline` the pictures are data: URLs in the form of OpenAI's chat interface; otherwise `{"type": "image"}`
    parts, whose pictures go to a processor in the order of `request.pictures`.
    """
    settings = PromptSettings(language=language)
    parts: list[dict[str, Any]] = []
    for frame in request.pictures:
        parts.append({"type": "text", "text": render("keyframe", settings, time_s=frame.time_s)})
        parts.append(_inline(frame.image) if inline else {"type": "image"})
    question = render(
        "observe",
        settings,
        frames=len(request.pictures),
        start_s=request.gap.start_s,
        end_s=request.gap.end_s,
    )
    parts.append({"type": "text", "text": question})
    system = render("observe_system", settings)
    return [
        {"role": "system", "content": system if inline else [{"type": "text", "text": system}]},
        {"role": "user", "content": parts},
    ]


def cleaned(reply: str, max_sentences: int = 2) -> str:
    """The reply on one line, its first sentences, without Markdown marks or a leading "Answer:"."""
    text = " ".join(reply.replace("*", " ").replace("#", " ").replace("`", " ").split())
    for lead in ("Answer:", "Summary:", "Observation:"):
        text = text.removeprefix(lead).strip()
    return " ".join([part for part in SENTENCE_END.split(text) if part][:max_sentences])


def is_refusal(reply: str) -> bool:
    """Whether a model declined to look at a face instead of describing it."""
    return reply.strip().strip('*"').lower().replace("’", "'").startswith(REFUSALS)


REFUSALS = (
    "i can't",
    "i cannot",
    "i'm sorry",
    "i am sorry",
    "i'm unable",
    "i am unable",
    "i won't",
    "as an ai",
    "sorry, but",
    "sorry, i",
    "我无法",
    "无法",
    "抱歉",
    "很抱歉",
    "对不起",
)
"""How a reply begins that declines."""


def _inline(jpeg: bytes) -> dict[str, Any]:
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}
