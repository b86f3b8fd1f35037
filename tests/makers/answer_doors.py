"""Doors for what answers: replies of models, servers of summaries, times of an annotation, files that are no video."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from emotrain.context.asking import cleaned
from emotrain.context.chat_completion import words_of
from emotrain.datasets.clips import read_clips
from emotrain.datasets.index import index_clips
from emotrain.emotions import ALIASES
from emotrain.metrics.free_text import AMBIGUOUS, UNPARSED, score_reply

LABELS = ("anger", "fear", "happiness", "sadness", "surprise", "disgust", "neutral")
STATED = (
    "{w}", "{W}.", "**{W}**", "Answer: {w}", "**Answer:** {W}", "Emotion: {w}", "Final answer: {w}", "- Emotion: {W}",
    "<answer>{w}</answer>", "<emotion>{W}</emotion>", "\\boxed{{{w}}}", "\\boxed{{\\text{{{W}}}}}", "(B) {w}",
    '{{"emotion": "{w}"}}', "{{'label': '{W}'}}", '```json\n{{"emotion": "{w}"}}\n```', "The emotion is {w}.",
    "The answer is {w}.", "情绪：{w}", "答案是{w}。", "### Answer\n{W}", "Predicted emotion: {w} (0.9)",
)  # fmt: skip
BEFORE = (
    "",
    "",
    "Sure!\n",
    "<think>{o}? Or {p}.</think>",
    "<think>He looks {o}.\n</think>\n",
    "The brows are raised.\n",
)
BEHIND = (
    "",
    "",
    "\n\nReason: it is not {o}.",
    "\nExplanation: at first he seems {o}, then {p}.",
    "\n",
    "\n\nI hope this helps!",
)
DECLINES = (
    "I cannot tell whether the {p} is {w}{t}", "It is {d} to say if she is {w}{t}", "There is no sign of {w}{t}",
    "He may be {w}{t}", "I doubt that he is {w}{t}", "She is far from {w}{t}", "If he were {w}, he would frown{t}",
    "Is he {w}?{t}", "The {p} next to him is {w}{t}", "The song is {w}{t}", "Answer: not {w}", "Emotion: {d}, not {w}",
    '{{"emotion": "unknown", "reason": "{w}"}}', "<answer>{d}, perhaps {w}</answer>", "He pretends to be {w}{t}",
    "我无法判断他是否{w}", "他并不{w}", "He says that he is {w}{t}", "Sure! Please show the {w} face{t}",
)  # fmt: skip
TAILS = (".", "", ", but who knows.", " in this clip.", "!", " at all.", ". The face is hidden.", " or not.")


def pick(rng: np.random.Generator, among: Any) -> Any:
    return list(among)[int(rng.integers(len(among)))]


def replies(rng: np.random.Generator, place: Path, flip: Callable[[bytes, int], bytes], number: int) -> bool:
    """A stated answer in other dress is that answer, a reply that declines none, and a damaged one has a verdict."""
    label, other, third = (str(name) for name in rng.permutation(LABELS)[:3])
    word = pick(rng, [w for w in (label, *ALIASES[label]) if not w.endswith("ly")])
    around = {"w": word, "W": word.capitalize(), "o": other, "p": third}
    if rng.random() < 0.5:
        said = pick(rng, DECLINES).format(
            w=word,
            d=pick(rng, ("unclear", "hard", "impossible", "difficult")),
            t=pick(rng, TAILS),
            p=pick(rng, ("man", "dog", "girl")),
        )
        return score_reply(said, LABELS) in (AMBIGUOUS, UNPARSED)
    text = pick(rng, BEFORE).format(**around) + pick(rng, STATED).format(**around) + pick(rng, BEHIND).format(**around)
    if rng.random() < 0.3:
        harmed = flip(text.encode(), number).decode("utf-8", "replace")
        return score_reply(harmed, LABELS) in (*LABELS, AMBIGUOUS, UNPARSED)
    return score_reply(text, LABELS) == label


def servers(rng: np.random.Generator, place: Path, flip: Callable[[bytes, int], bytes], number: int) -> bool:
    """A chat completion of any shape gives words, a refusal or a fault, and never a thought."""
    thought, words = "THOUGHT he seems angry", "The brow lowers at 0.5 s."
    parts = (
        {"type": "thinking", "thinking": [{"type": "text", "text": thought}]}, {"type": "text", "text": words},
        {"type": "reasoning", "text": thought}, {"type": "image_url", "image_url": {"url": "x"}}, {"text": words},
        7, None,
    )  # fmt: skip
    content = pick(rng, (
        words, "", None, f"<think>{thought}</think>{words}", f"<think>{thought}", {"text": words}, 3.5,
        [pick(rng, parts) for _ in range(int(rng.integers(4)))],
    ))  # fmt: skip
    message: Any = {"content": content, "role": "assistant", "refusal": pick(rng, (None, "I cannot"))}
    if rng.random() < 0.3:
        message["reasoning_content"] = pick(rng, (thought, "", None))
    choice = {"index": 0, "message": message, "finish_reason": pick(rng, ("stop", "length", "content_filter", None))}
    answer: Any = {"choices": pick(rng, ([choice], [choice], [], None, [None], {"0": choice}, [{"text": words}]))}
    found = words_of(_as_objects(answer), 96)
    return "THOUGHT" not in cleaned(found.text) and bool(
        found.text or found.refused or found.fault or found.lost or not content
    )


def times(rng: np.random.Generator, place: Path, flip: Callable[[bytes, int], bytes], number: int) -> bool:
    """Times of any unit are stored inside their clip or not at all; those that were seconds inside it, as they are."""
    root = place / "set"
    rate, frames = 10.0, int(rng.integers(5, 40))
    for clip in ("a", "b", "c", "d"):
        (root / clip).mkdir(parents=True)
        for i in range(frames):
            (root / clip / f"{i:03d}.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    unit = pick(rng, (1.0, 1.0, rate, 1000.0))
    given = [sorted(float(rng.uniform(0, frames / rate)) for _ in range(3)) for _ in range(4)]
    with (root / "clips.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label", "onset", "apex", "offset"])
        for at, (clip, row) in enumerate(zip("abcd", given)):
            table.writerow([clip, ("anger", "fear")[at % 2], *(f"{value * unit:.3f}" for value in row)])
    index_clips("csv", root, place / "out", max_bad_share=0.0, assume_fps=rate)
    for clip, row in zip(sorted(read_clips(place / "out"), key=lambda c: c.clip_id), given):
        stored = [value for value in (clip.onset_s, clip.apex_s, clip.offset_s) if value is not None]
        if any(value > frames / rate + 1 / rate for value in stored):
            return False
        if unit == 1.0 and not np.allclose(stored, row, atol=0.002):
            return False
    return True


def no_videos(rng: np.random.Generator, place: Path, flip: Callable[[bytes, int], bytes], number: int) -> bool:
    """What is no video is refused with its name, whatever it is called."""
    root = place / "set"
    kinds = (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:%d\nsize 3\n" % number,
        b"<!DOCTYPE html><html><head><title>Sign in</title>", b'{"error": {"code": 403}}',
        b"#EXTM3U\n#EXT-X-VERSION:3\n",
        b"PK\x03\x04" + bytes(40), bytes(int(rng.integers(1, 3000))), b"",
    )  # fmt: skip
    good = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    for at in range(6):
        (root / ("anger", "fear")[at % 2]).mkdir(parents=True, exist_ok=True)
        (root / ("anger", "fear")[at % 2] / f"{at}.mp4").write_bytes(good)
    name = pick(rng, ("x.mp4", "x.avi", "x.gif", "x.3gp", "x.mts"))
    (root / "anger" / name).write_bytes(pick(rng, kinds))
    try:
        index_clips("folder", root, place / "out", max_bad_share=0.0)
    except Exception as error:
        if name not in str(error):
            raise
        return True
    return False


def _as_objects(value: Any) -> Any:
    """JSON as the client library hands it on: objects with attributes, parts of a message as they are."""
    if isinstance(value, dict):
        return SimpleNamespace(**{k: v if k == "content" else _as_objects(v) for k, v in value.items()})
    return [_as_objects(item) for item in value] if isinstance(value, list) else value
