"""No gap and no prompt has text without end; what is left out is counted in words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotrain.context.facs_times import cuts_of
from emotrain.context.facs_words import MOST_CUTS, MOST_EVENTS, describe
from emotrain.context.prompt import PromptSettings, build_messages, prompt_text
from emotrain.context.text_bounds import MOST_GAP, MOST_PROMPT, bounded, most_of_gap
from emotrain.records import Event, Frame, Summary


def events(count: int) -> list[Event]:
    return [Event(i, i + 0.2, i + 0.5, ("chin",), ("17",), 3.0 + (7 * i) % 101) for i in range(count)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_strongest_changes_of_an_hour_are_told_in_order_and_the_rest_counted(language: str) -> None:
    of_gap = events(90)
    text = describe(of_gap, cuts_s=[float(i) for i in range(50)], language=language)
    told = [float(start) for start in re.findall(r"(\d+\.\d\d)-\d", text)]
    strongest = sorted(of_gap, key=lambda event: -event.strength)[:MOST_EVENTS]
    assert told == sorted(event.onset_s for event in strongest)
    assert len(cuts_of(text)) == MOST_CUTS
    assert str(90 - MOST_EVENTS) in text
    assert str(50 - MOST_CUTS) in text
    assert len(text.encode()) < MOST_GAP


def test_few_changes_are_told_as_ever() -> None:
    assert "weaker" not in describe(events(MOST_EVENTS), cuts_s=[0.5] * MOST_CUTS)


@pytest.mark.parametrize("keyframes", [1, 8, 256])
def test_a_prompt_has_an_end_whatever_was_written_about_its_gaps(keyframes: int) -> None:
    frames = [Frame("c", i, i + 0.5, "keyframe", None, b"") for i in range(keyframes)]
    told = [
        Summary("c", i, float(i), i + 1.0, "The brows rise. " * 9_000, True, "openai") for i in range(keyframes + 1)
    ]
    settings = PromptSettings()
    text = prompt_text(build_messages(frames, told, ["joy", "fear"], settings))
    around = len(prompt_text(build_messages(frames, [], ["joy", "fear"], settings)))
    assert len(text) - around < MOST_PROMPT + 80 * (keyframes + 1)
    assert "more sentences." in text


@given(st.text(max_size=400), st.integers(20, 200))
def test_a_bounded_text_is_short_and_begins_as_it_did(text: str, most: int) -> None:
    short = bounded(text, most, "en")
    assert len(short.encode()) <= most + 40
    if len(text.encode()) <= most:
        assert short == text


def test_many_gaps_share_the_bound() -> None:
    assert most_of_gap(2) == MOST_GAP
    assert most_of_gap(257) * 257 <= MOST_PROMPT
