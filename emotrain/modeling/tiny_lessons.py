"""What the tiny base's language model is taught: to look at keyframes, to read gap summaries, and to answer in form.

A lesson is a prompt in the project's own format with one of three questions. "Which facial actions do the pictures
show?" and "... does the text report?" have true answers. The project's emotion question is answered by a label drawn
uniformly from the options, whatever the face does: the base knows the form of an answer and nothing about emotions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotrain.context.facs_words import QUIET, describe, phrase, vocabulary
from emotrain.context.prompt import PromptSettings, build_messages, prompt_text
from emotrain.emotions import ALIASES, LABEL_SETS
from emotrain.modeling.tiny_stills import ACTS, FRAMES_EACH, SHOTS, random_units
from emotrain.motion.face_regions import REGIONS
from emotrain.records import Event, Frame, Summary
from emotrain.synthetic.action_units import AUS, visible_units

SEEN_QUESTION = "Which facial actions do the pictures show?"
TOLD_QUESTION = "Which facial actions does the text report?"
CLIP = "lesson"
ASKED, SHARES = ("emotion", "seen", "told"), (0.4, 0.35, 0.25)
"""The kinds of question and how often each is asked."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One exercise. `frames` are rows of the stills, in the order of the image parts of `messages`.

    `seen` (19,) holds the strongest intensity of each unit in the frames, `told` (19,) 1 for each unit in the text.
    `asked` is the kind of question, `options` the labels of an emotion question.
    """

    messages: list[dict[str, Any]]
    frames: tuple[int, ...]
    answer: str
    seen: NDArray[np.float32]
    told: NDArray[np.float32]
    asked: str
    options: tuple[str, ...]


def draw_lesson(units: NDArray[np.float32], rng: np.random.Generator) -> Lesson:
    """Draw a lesson on the stills whose intensities are `units (N, 19)`, FRAMES_EACH rows a person."""
    # Drawn before the face is: with the same generator, other faces get the same answer to the emotion question.
    asked, labels = str(rng.choice(ASKED, p=SHARES)), _options(rng)
    answer = str(rng.choice(labels))
    count = int(rng.choice([1, 2, 3, 4, 6], p=[0.1, 0.1, 0.1, 0.6, 0.1]))
    shown, act = _shots(len(units) // FRAMES_EACH, count, rng)
    duration_s = float(rng.uniform(2.5, 4.0))
    times = [duration_s * (i + 0.5) / count for i in range(count)]
    edges = [0.0, *times, duration_s]
    told_names: set[str] = set()
    summaries: list[Summary] = []
    context = rng.random() < 0.6
    if context:
        where = _where_told(shown, act is not None, rng)
        acted = visible_units(units[act]) if act is not None else visible_units(random_units(rng))
        for gap in range(count + 1):
            names = _imperfect(acted, rng) if gap == where else ()
            told_names.update(names)
            start, end = edges[gap], edges[gap + 1]
            events = _events(names, start, end, rng)
            summaries.append(Summary(CLIP, gap, start, end, describe(events), bool(events), "lesson"))
    frames = [Frame(CLIP, i, time, "keyframe", None, b"") for i, time in enumerate(times)]
    settings = PromptSettings(context="summaries" if context else "none")
    messages = build_messages(frames, summaries, labels, settings)
    seen = units[list(shown)].max(0)
    told = np.array([float(bool({name, name.lstrip("LR")} & told_names)) for name in AUS], np.float32)
    if asked != "emotion":
        question = build_messages(frames, [], labels, settings)[0]["content"][-1]["text"]
        messages = _ask(messages, question, SEEN_QUESTION if asked == "seen" else TOLD_QUESTION)
        answer = sentence(visible_units(np.where(seen >= 0.25, seen, 0)) if asked == "seen" else _ordered(told_names))
    return Lesson(messages, shown, answer, seen, told, asked, tuple(labels))


def lesson_texts() -> list[str]:
    """Texts that hold every word of the lessons: what the tokenizer is trained on."""
    frames = [Frame(CLIP, 0, 0.5, "keyframe", None, b"")]
    labels = sorted({label for labels in LABEL_SETS.values() for label in labels.labels} | set(ALIASES))
    messages = build_messages(frames, [], labels, PromptSettings(context="none"))
    strengths = [describe([Event(0, 0, length, REGIONS, (), s) for s in (1.0, 8.0, 20.0)]) for length in (0.3, 1.0)]
    return [prompt_text(messages), SEEN_QUESTION, TOLD_QUESTION, *strengths, *vocabulary(), *REGIONS]


def _shots(people: int, count: int, rng: np.random.Generator) -> tuple[tuple[int, ...], int | None]:
    """Rows of one person's stills for `count` keyframes, and the row of the act's strong shot if one shows."""
    first = int(rng.integers(people)) * FRAMES_EACH
    rows = first + ACTS * SHOTS + rng.integers(0, 2, count)
    if rng.random() < 0.3:
        return tuple(rows.tolist()), None
    act = first + int(rng.integers(ACTS)) * SHOTS
    length = int(rng.integers(1, count + 1))
    start = int(rng.integers(0, count - length + 1))
    rows[start : start + length] = act + rng.integers(0, SHOTS, length)
    return tuple(rows.tolist()), act


def _where_told(shown: Sequence[int], acting: bool, rng: np.random.Generator) -> int | None:
    """The gap whose summary tells of an act: before the first frame that shows it, anywhere if none does, or none."""
    if rng.random() < 0.25:
        return None
    rest = [row % FRAMES_EACH >= ACTS * SHOTS for row in shown]
    return rest.index(False) if acting else int(rng.integers(len(shown) + 1))


def _imperfect(names: Sequence[str], rng: np.random.Generator) -> tuple[str, ...]:
    """What a summariser might make of the true units: some are missed, now and then one is made up."""
    kept = [name for name in names if rng.random() < 0.85]
    if rng.random() < 0.15:
        kept.append(str(rng.choice([name for name in AUS if name != "45"])))
    return _ordered(kept)


def _events(names: Sequence[str], start_s: float, end_s: float, rng: np.random.Generator) -> list[Event]:
    """The named units as one event of the gap; now and then motion that no unit explains is told, too."""
    events = []
    if names:
        events.append(_event((), tuple(names), start_s, end_s, rng))
    if rng.random() < 0.05:
        regions = rng.choice(REGIONS, size=int(rng.integers(1, 3)), replace=False).tolist()
        events.append(_event(tuple(regions), (), start_s, end_s, rng))
    return sorted(events, key=lambda event: event.onset_s)


def _event(
    regions: tuple[str, ...], names: tuple[str, ...], start_s: float, end_s: float, rng: np.random.Generator
) -> Event:
    length = float(rng.uniform(0.2, 0.5) if rng.random() < 0.5 else rng.uniform(0.6, 3.0))
    apex = float(rng.uniform(start_s, end_s))
    onset = max(0.0, apex - length / 2)
    return Event(onset, apex, onset + length, regions, names, float(rng.uniform(2.0, 16.0)))


def sentence(names: Sequence[str]) -> str:
    """The answer to a question about facial actions, in the words of the summaries."""
    return f"{', '.join(phrase(name) for name in names)}." if names else QUIET


def _ordered(names: Sequence[str] | set[str]) -> tuple[str, ...]:
    present = np.array([float(bool({name, name.lstrip("LR")} & set(names))) for name in AUS])
    return visible_units(present)


def _options(rng: np.random.Generator) -> list[str]:
    """A label set as the emotion question lists it: a whole set, or a few labels of one, in any order.

    A single option has a certain answer. Without such questions no label would ever have to be likelier than one in
    two, and a head that cannot be sure stays that way, for LoRA leaves it frozen.
    """
    labels = list(LABEL_SETS[str(rng.choice(list(LABEL_SETS)))].labels)
    kind = rng.random()
    if kind < 0.4:
        return labels
    few = 1 if kind < 0.7 else int(rng.integers(2, len(labels) + 1))
    return [labels[i] for i in rng.permutation(len(labels))[:few]]


def _ask(messages: list[dict[str, Any]], question: str, other: str) -> list[dict[str, Any]]:
    """The same prompt with another question at its end."""
    *parts, last = messages[0]["content"]
    if not last["text"].endswith(question):
        raise ValueError(f"the prompt ends with {last['text']!r}, expected the question {question!r}")
    text = last["text"].removesuffix(question) + other
    return [{**messages[0], "content": [*parts, {**last, "text": text}]}]
