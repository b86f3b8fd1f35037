"""Label sets, the words people use for each label, and head / medium / tail groups.

Labels are names everywhere. Three integer orders of MAFW and two of FERV39k circulate in public code, so an integer is
translated at the reader's door and never travels further.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from emotrain.label_files import is_label_file, read_labels

Group = Literal["head", "medium", "tail"]

_COMMA = re.compile("[,，、]")

OWN = "own"
"""Name of a label set that no data set ships, but a user's own classes."""

ALIASES: dict[str, tuple[str, ...]] = {
    "anger": ("angry", "angered", "mad", "furious", "rage", "angrily", "愤怒", "生气", "恼怒", "震怒", "气愤"),
    "disgust": ("disgusted", "disgusting", "revulsion", "厌恶"),
    "fear": ("fearful", "afraid", "scared", "frightened", "terrified", "fearfully", "恐惧", "害怕", "惊恐"),
    "happiness": ("happy", "joy", "joyful", "joyous", "happily", "delighted", "高兴", "快乐", "开心", "愉快"),
    "neutral": ("neutrality", "expressionless", "emotionless", "中性", "平静", "中立", "无表情"),
    "sadness": ("sad", "sorrow", "sorrowful", "unhappy", "sadly", "悲伤", "难过", "伤心"),
    "surprise": ("surprised", "astonished", "astonishment", "惊讶", "吃惊"),
    "contempt": ("contemptuous", "scorn", "scornful", "disdain", "disdainful", "轻蔑", "蔑视"),
    "anxiety": ("anxious", "snxiety", "nervous", "nervousness", "worried", "焦虑", "不安"),
    "helplessness": ("helpless", "powerless", "powerlessness", "无助", "无奈"),
    "disappointment": ("disappointed", "dissatisfied", "失望"),
    "calm": ("calmness", "镇静"),
    "repression": ("repressed", "压抑"),
    "tense": ("tension", "紧张"),
    "others": ("other", "其他"),
    "negative": ("消极",),
    "positive": ("积极",),
}
"""Spellings met in annotation files and in replies, each pointing to one name. Lower case; compared without case."""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """An ordered set of label names. The order is the order of every logit vector that mentions the set."""

    name: str
    labels: tuple[str, ...]
    values: tuple[float, ...] = ()
    """What each label of an ordinal set (valence, arousal) is worth, in order; none of other sets."""

    def __len__(self) -> int:
        return len(self.labels)

    def index(self, label: str) -> int:
        """Position of `label`; raises ValueError with the nearest name when it is not in the set."""
        if label not in self.labels:
            raise ValueError(f"label {label!r} is not in label set {self.name!r}; {nearest(label, self.labels)}")
        return self.labels.index(label)


_DFEW = ("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear")
_MAFW = (
    "anger",
    "disgust",
    "fear",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
    "contempt",
    "anxiety",
    "helplessness",
    "disappointment",
)

LABEL_SETS: dict[str, LabelSet] = {
    "dfew": LabelSet("dfew", _DFEW),
    "mafw": LabelSet("mafw", _MAFW),
    "ferv39k": LabelSet("ferv39k", _DFEW),
    "ravdess": LabelSet("ravdess", ("neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise")),
    "crema_d": LabelSet("crema_d", ("anger", "disgust", "fear", "happiness", "neutral", "sadness")),
    "megc2019": LabelSet("megc2019", ("negative", "positive", "surprise")),
    "megc_vqa": LabelSet("megc_vqa", ("negative", "positive", "surprise", "others")),
    "casme2": LabelSet("casme2", ("happiness", "surprise", "disgust", "repression", "fear", "sadness", "others")),
    "samm": LabelSet("samm", ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise", "others")),
    "casme3": LabelSet("casme3", ("disgust", "surprise", "others", "fear", "anger", "sadness", "happiness")),
    "smic": LabelSet("smic", ("negative", "positive", "surprise")),
    "mmew": LabelSet("mmew", ("happiness", "surprise", "anger", "disgust", "fear", "sadness", "others")),
}

_GRADES = ("very low", "low", "medium", "high", "very high")
_VALENCE = ("very negative", "negative", "neutral", "positive", "very positive")
ORDINAL_SETS: dict[str, LabelSet] = {
    "valence": LabelSet("valence", _VALENCE, (1, 2, 3, 4, 5)),
    "arousal": LabelSet("arousal", _GRADES, (1, 2, 3, 4, 5)),
    "engagement": LabelSet("engagement", _GRADES, (1, 2, 3, 4, 5)),
}
"""Ratings from 1 to 5 as words; the answer is the expectation of the value over the label scores."""

DRAWN_SETS: dict[str, LabelSet] = {
    "actions": LabelSet("actions", ("pushed", "lifted", "dropped", "untouched")),
    "events": LabelSet("events", ("early flash", "late flash", "early knock", "late knock", "nothing")),
    "trajectories": LabelSet(
        "trajectories",
        ("up down", "down up", "brows corners", "corners brows", "sudden", "slow", "once", "thrice"),
    ),
}
"""Label sets of drawn clips that name no emotion: what happens to an object (`synthetic.objects`), or the course of a
movement (`synthetic.trajectories`). They stand apart: the tiny base's tokenizer and lessons are made of the words of
LABEL_SETS."""

PUBLISHED_COUNTS: dict[str, dict[str, int]] = {
    "dfew": {
        "happiness": 2445,
        "sadness": 1894,
        "neutral": 2669,
        "anger": 2173,
        "surprise": 1469,
        "disgust": 145,
        "fear": 902,
    },
    "mafw": {
        "anger": 1390,
        "disgust": 639,
        "fear": 625,
        "happiness": 1242,
        "neutral": 1138,
        "sadness": 1470,
        "surprise": 1072,
        "contempt": 236,
        "anxiety": 916,
        "helplessness": 262,
        "disappointment": 182,
    },
    "ravdess": {
        "neutral": 188,
        "calm": 376,
        "happiness": 376,
        "sadness": 376,
        "anger": 376,
        "fear": 376,
        "disgust": 192,
        "surprise": 192,
    },
    "crema_d": {
        "anger": 1271,
        "disgust": 1271,
        "fear": 1271,
        "happiness": 1271,
        "neutral": 1087,
        "sadness": 1271,
    },
    "smic": {"negative": 70, "positive": 51, "surprise": 43},
    "megc2019": {"negative": 250, "positive": 109, "surprise": 83},
}
"""Single-label clips a class, all folds together (counted from the official split lists; SMIC-HS and the MEGC2019
composite as See et al. 2019 report them; RAVDESS from its design, 60 spoken takes of 24 actors and 44 sung ones of 23;
CREMA-D counted from SentenceFilenames.csv)."""


def label_set(name: str) -> LabelSet:
    """The label set called `name`, or one's own: label names with commas ("calm, anger, sad"), aliases resolved, or a
    .txt or .yaml file of them (label_files.py).

    The commas of Chinese text ("平静，紧张") count as well.

    Raises ValueError that lists the known sets, and for an own set of fewer than two different labels.
    """
    if is_label_file(name):
        read = read_labels(Path(name).expanduser())
        values = tuple(value for value in read.values() if value is not None)
        return LabelSet(OWN, tuple(read), values)
    if _COMMA.search(name):
        words = [word.strip() for word in _COMMA.split(name) if word.strip()]
        labels = tuple(known if (known := canonical(word)) is not None else word.lower() for word in words)
        if len(set(labels)) != len(labels) or len(labels) < 2:
            raise ValueError(f"label set {name!r}: expected two or more different labels, read {', '.join(labels)}")
        return LabelSet(OWN, labels)
    known_sets = {**LABEL_SETS, **ORDINAL_SETS, **DRAWN_SETS}
    if name not in known_sets:
        raise ValueError(
            f"unknown label set {name!r}; known: {', '.join(known_sets)}; {nearest(name, known_sets)}; "
            "for your own classes list their names with commas, or name a .txt or .yaml file of them"
        )
    return known_sets[name]


def portable_name(name: str) -> str:
    """The name of a label set for others: of a file, which only this machine has, its labels with commas."""
    return ", ".join(label_set(name).labels) if is_label_file(name) else name


def display_names(labels: Sequence[str], language: str) -> tuple[str, ...]:
    """What prompts call the labels in a language ("en", "zh"); a user's own label keeps its name."""
    if language == "en":
        return tuple(labels)
    return tuple(next((word for word in ALIASES.get(label, ()) if not word.isascii()), label) for label in labels)


def canonical(word: str) -> str | None:
    """The label name that `word` (any case, any alias) stands for, or None."""
    key = word.strip().lower()
    if key in ALIASES:
        return key
    return _BY_ALIAS.get(key)


def nearest(word: str, known: object) -> str:
    """A short hint, "did you mean 'x'?", or the list of known names when nothing is near."""
    names = list(known)  # type: ignore[call-overload]
    close = get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"


def frequency_groups(counts: Mapping[str, int]) -> dict[str, Group]:
    """Head, medium or tail for each class by its share relative to a uniform split.

    With s_c = n_c K / N over the training labels: head s > 1, medium 0.5 <= s <= 1, tail s < 0.5. The classic
    100 / 20-shot thresholds put every class of emotion data into "many".
    """
    total = sum(counts.values())
    if total == 0:
        raise ValueError("frequency_groups: no labelled clip, every count is 0")
    shares = {label: count * len(counts) / total for label, count in counts.items()}
    return {label: "head" if s > 1 else "medium" if s >= 0.5 else "tail" for label, s in shares.items()}


_BY_ALIAS: dict[str, str] = {alias: name for name, aliases in ALIASES.items() for alias in aliases}
