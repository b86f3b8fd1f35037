"""What a clip is asked: one of the questions that ship, or a sentence of one's own with the place of the options.

A sentence travels with an adapter as it is, so that prediction asks the same; it is filled in and never run.
"""

from __future__ import annotations

from collections.abc import Sequence

from emotrain.emotions import nearest

QUESTIONS = ("emotion", "action", "event")
"""Questions that ship: names of templates."""

OPTIONS = "{labels}"
MOST_QUESTION = 500
"""Characters of a question in one's own words."""


def question_piece(question: str) -> tuple[str, ...]:
    """The template of a question, none where it is in its own words."""
    return () if OPTIONS in question else (question,)


def check_question(question: str) -> None:
    """Raise ValueError for anything but a question that ships and a printable line with `{labels}`."""
    if OPTIONS not in question and question not in QUESTIONS:
        raise ValueError(
            f"question: {question!r:.80} is neither one of {', '.join(QUESTIONS)} nor a sentence with {OPTIONS}, where "
            f"the options go; {nearest(question, QUESTIONS)}"
        )
    if len(question) > MOST_QUESTION or not question.isprintable():
        raise ValueError(f"question: {len(question)} characters; expected one line of at most {MOST_QUESTION}")


def filled(question: str, labels: Sequence[str], language: str) -> str:
    """A question in its own words with the options in their place."""
    return question.replace(OPTIONS, (", " if language == "en" else "、").join(labels))
