"""Lessons tell the truth about the frames, use the project's prompt, and pair no action with an emotion."""

from __future__ import annotations

import numpy as np
import pytest

from emotrain.context.facs_words import PHRASES, QUIET, phrase
from emotrain.modeling.tiny_lessons import ASKED, Lesson, draw_lesson
from emotrain.modeling.tiny_stills import ACTS, FRAMES_EACH, SHOTS, random_units
from emotrain.synthetic.action_units import visible_units


@pytest.fixture(scope="module")
def units() -> np.ndarray:
    """Intensities as render_stills lays them out: two people's acts, then their faces at rest."""
    rng = np.random.default_rng(0)
    person = [np.concatenate([np.repeat([random_units(rng) for _ in range(ACTS)], SHOTS, 0), np.zeros((2, 19))])] * 2
    return np.concatenate(person).astype(np.float32)


@pytest.fixture(scope="module")
def lessons(units: np.ndarray) -> list[Lesson]:
    rng = np.random.default_rng(1)
    return [draw_lesson(units, rng) for _ in range(400)]


def test_answers_name_what_the_frames_show(lessons: list[Lesson], units: np.ndarray) -> None:
    for lesson in (x for x in lessons if x.asked == "seen"):
        shown = units[list(lesson.frames)].max(0)
        named = visible_units(np.where(shown >= 0.25, shown, 0))
        assert lesson.answer == (", ".join(phrase(name) for name in named) + "." if named else QUIET)
        np.testing.assert_array_equal(lesson.seen, shown)


def test_answers_name_what_the_text_reports(lessons: list[Lesson]) -> None:
    told = [x for x in lessons if x.asked == "told"]
    assert any(x.answer != QUIET for x in told)
    for lesson in told:
        text = " ".join(part.get("text", "") for part in lesson.messages[0]["content"]).partition("Which")[0]
        for item in lesson.answer.rstrip(".").split(", ") if lesson.answer != QUIET else ():
            assert item in text
        assert (lesson.told.sum() > 0) == (lesson.answer != QUIET)


def test_frames_of_a_lesson_are_of_one_person(lessons: list[Lesson]) -> None:
    for lesson in lessons:
        assert len({row // FRAMES_EACH for row in lesson.frames}) == 1
        assert len(lesson.frames) == sum(part["type"] == "image" for part in lesson.messages[0]["content"])


def test_emotion_answers_are_independent_of_the_face(units: np.ndarray) -> None:
    """With the same generator, quite another face gets the same emotion answer; and the answers are uniform."""
    others = np.roll(units, 7, axis=1)
    places = []
    for seed in range(600):
        lesson, other = (draw_lesson(faces, np.random.default_rng(seed)) for faces in (units, others))
        assert (lesson.asked, lesson.options) == (other.asked, other.options)
        if lesson.asked == "emotion":
            assert lesson.answer == other.answer
            places.append((lesson.options.index(lesson.answer) + 0.5) / len(lesson.options))
    # The mean of n uniform places: 0.5, standard deviation at most 0.29 / sqrt(n).
    assert abs(np.mean(places) - 0.5) < 4 * 0.29 / np.sqrt(len(places))


def test_no_lesson_says_both_an_action_and_an_emotion_in_an_answer(lessons: list[Lesson]) -> None:
    assert {x.asked for x in lessons} == set(ASKED)
    words = {*PHRASES.values(), QUIET.rstrip(".")}
    for lesson in lessons:
        if lesson.asked == "emotion":
            assert lesson.answer in lesson.options
            assert lesson.answer not in words
        else:
            assert not any(option in lesson.answer for option in lesson.options)
