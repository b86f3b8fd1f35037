"""Prompts: time order, equal images in every arm, options as asked."""

from __future__ import annotations

import re

import pytest

from emotrain.context.prompt import PromptSettings, build_messages, keyframes, prompt_text
from emotrain.records import Frame, Summary

FRAMES = [
    Frame("a", i, time_s, role, gap, b"jpeg")
    for i, (time_s, role, gap) in enumerate(
        [(0.5, "keyframe", None), (1.0, "between", 1), (1.5, "keyframe", None), (2.5, "keyframe", None)]
    )
]
SUMMARIES = [
    Summary("a", gap, start, end, text, changed, "motion")
    for gap, start, end, text, changed in [
        (1, 0.5, 1.5, "0.81-1.12 s: brows lower (brief, peak 0.90 s).", True),
        (0, 0.0, 0.5, "no visible change.", False),
        (3, 2.5, 3.0, "2.61-2.93 s: jaw drops (brief, peak 2.70 s).", True),
        (2, 1.5, 2.5, "no visible change.", False),
    ]
]
LABELS = ("anger", "fear", "neutral")


def test_keyframes_and_summaries_are_interleaved_in_time() -> None:
    text = prompt_text(build_messages(FRAMES, SUMMARIES, LABELS, PromptSettings()))
    assert text == (
        "no visible change. [0.50 s] <image> 0.81-1.12 s: brows lower (brief, peak 0.90 s). [1.50 s] <image> "
        "no visible change. [2.50 s] <image> 2.61-2.93 s: jaw drops (brief, peak 2.70 s). "
        "Which emotion does the person show? Options: anger, fear, neutral."
    )
    times = [float(t) for t in re.findall(r"(\d\.\d\d) s\]|peak (\d\.\d\d)", text) for t in t if t]
    assert times == sorted(times)


def test_the_sparse_arm_has_the_same_images_times_and_question() -> None:
    enriched = build_messages(FRAMES, SUMMARIES, LABELS, PromptSettings())[0]["content"]
    sparse = build_messages(FRAMES, SUMMARIES, LABELS, PromptSettings(context="none"))[0]["content"]
    assert [p["type"] for p in sparse if p["type"] == "image"] == [p["type"] for p in enriched if p["type"] == "image"]
    assert len(keyframes(FRAMES)) == sum(part["type"] == "image" for part in sparse)
    text = prompt_text([{"content": sparse}])
    assert "brows" not in text
    assert text.startswith("[0.50 s] <image> [1.50 s] <image> [2.50 s] <image> Which emotion")


def test_times_and_quiet_gaps_can_be_left_out() -> None:
    text = prompt_text(build_messages(FRAMES, SUMMARIES, LABELS, PromptSettings(show_times=False, quiet=False)))
    assert "[0.50 s]" not in text
    assert "no visible change" not in text


def test_option_order_follows_the_argument() -> None:
    text = prompt_text(build_messages(FRAMES, (), LABELS, PromptSettings(), order=[2, 0, 1]))
    assert text.endswith("Options: neutral, anger, fear.")
    with pytest.raises(ValueError, match="no permutation"):
        build_messages(FRAMES, (), LABELS, PromptSettings(), order=[0, 0, 1])


def test_wrong_settings_and_mixed_clips_are_refused() -> None:
    with pytest.raises(ValueError, match=r"question: 'emotoin'.*did you mean 'emotion'"):
        PromptSettings(question="emotoin")
    with pytest.raises(ValueError, match="prompt context 'summary'"):
        PromptSettings(context="summary")  # type: ignore[arg-type]
    other = Summary("b", 0, 0.0, 0.5, "x", True, "motion")
    with pytest.raises(ValueError, match="several clips"):
        build_messages(FRAMES, [other], LABELS, PromptSettings())
