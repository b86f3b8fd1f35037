"""How much of the label the words alone give away: a linear reader of a clip's summaries, cross-validated.

The words of muscles tell emotions too, and should; so the figure that speaks of leaks is the difference between the
words as they were written and as the filter left them. What stays high after masking with words that no muscle has is
seen in `telling`: the words that speak most for each class.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emotrain.context.leakage import MASK, find_leaks
from emotrain.context.summarize import reads_video
from emotrain.records import Clip, Summary

FOLDS = 5
TELLING = 6
"""Words of each class that are listed."""
WORD = r"[^\W\d_]+"
_MASK_WORD = " maskedword "
"""A mask stays visible to a model, and where masks stand may tell the label: the reader sees them as a word."""


@dataclass(frozen=True, slots=True)
class WordLeak:
    """UAR (0-1) of a linear reader of words, out of fold: as written, as masked, of the masked words alone, by chance.

    `written` and `removed` are None where the stage kept no texts as written. `telling` are the words that speak most
    for each class in the masked texts. `chance` is the reader's UAR on the masked texts with labels shuffled.
    """

    clips: int
    written: float | None
    masked: float
    removed: float | None
    chance: float
    telling: Mapping[str, Sequence[str]]


def word_leak(
    told: Mapping[str, Sequence[Summary]],
    written: Mapping[tuple[str, int], str] | None,
    clips: Mapping[str, Clip],
    own: Sequence[str] = (),
    seed: int = 0,
) -> WordLeak | None:
    """Measure the leak of summaries; `written` are the texts before masking by (clip id, gap), where they differ.

    Subjects (else sources) are never split over folds. None where no two classes have two clips in different groups.
    """
    known = [clips[clip_id] for clip_id in sorted(told) if clip_id in clips]
    folds = _folds(known, seed)
    if folds is None:
        return None
    labels = np.array([clip.label for clip in known])
    masked = [" ".join(summary.text for summary in told[clip.clip_id]) for clip in known]
    after = _uar(masked, labels, folds)
    shuffled = np.random.default_rng(seed).permutation(labels)
    before = removed = None
    if written is not None:
        raw = [
            " ".join(written.get((clip.clip_id, summary.gap), summary.text) for summary in told[clip.clip_id])
            for clip in known
        ]
        words = [" ".join(leak.word for leak in find_leaks(text, own)) for text in raw]
        before = after if raw == masked else _uar(raw, labels, folds)
        removed = _uar(words, labels, folds) if any(words) else None
    return WordLeak(len(known), before, after, removed, _uar(masked, shuffled, folds), _telling(masked, labels))


def written_texts(folder: Path) -> dict[tuple[str, int], str] | None:
    """The texts of a summaries folder before masking, by (clip id, gap), where they differ; None where none were kept.

    The closed vocabulary of motion is never masked. Raises ValueError that names file and line of an unreadable record.
    """
    if reads_video(folder.name.rpartition("-")[0]):
        return {}
    parts = {path.stem for path in folder.glob("part-*.parquet")}
    if parts - {path.stem for path in (folder / "leaks").glob("*.jsonl")}:
        return None  # made by a version that kept no text, or ended between a part and its words
    texts: dict[tuple[str, int], str] = {}
    for path in sorted((folder / "leaks").glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
            if line:
                try:
                    row = json.loads(line)
                    texts[row["clip_id"], int(row["gap"])] = row["text"]
                except (ValueError, KeyError, TypeError) as error:
                    raise ValueError(
                        f"{path} line {number}: no text before masking ({error}); remove {folder / 'leaks'} and the "
                        "parts beside it, and summarise again"
                    ) from error
    return texts


def _folds(clips: Sequence[Clip], seed: int) -> list[Any] | None:
    from emotrain.datasets.splits import assign_folds

    if len({clip.label for clip in clips}) < 2:
        return None
    try:
        folded = assign_folds(clips, FOLDS, seed)
    except ValueError:
        return None
    fold = np.array([clip.test_fold for clip in folded])
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in sorted(set(fold))]


def _uar(texts: Sequence[str], labels: Any, folds: Sequence[Any]) -> float:
    """Mean over classes of the share of its clips that are read right by a reader that never saw them."""
    said = np.empty(len(labels), dtype=object)
    for train, test in folds:
        if len(set(labels[train])) < 2 or not any(texts[i].strip() for i in train):
            said[test] = labels[train][0]
            continue
        said[test] = _reader().fit([texts[i] for i in train], labels[train]).predict([texts[i] for i in test])
    return float(np.mean([np.mean(said[labels == label] == label) for label in sorted(set(labels))]))


def _telling(texts: Sequence[str], labels: Any) -> dict[str, list[str]]:
    """The words with the largest weights for each class, fitted on all clips."""
    if not any(text.strip() for text in texts):
        return {}
    reader = _reader().fit(texts, labels)
    names = reader[0].get_feature_names_out()
    weights = reader[1].coef_
    if len(weights) == 1:
        weights = np.concatenate([-weights, weights])
    return {
        label: [str(names[i]) for i in np.argsort(row)[::-1][:TELLING] if row[i] > 0]
        for label, row in zip(reader[1].classes_, weights, strict=True)
    }


def _reader() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(
        preprocessor=_plain, token_pattern=rf"[\u4e00-\u9fff]|{WORD}", ngram_range=(1, 2), sublinear_tf=True,
        max_features=20_000,
    )  # fmt: skip
    return make_pipeline(words, LogisticRegression(max_iter=1000, C=10.0, class_weight="balanced"))


def _plain(text: str) -> str:
    return text.replace(MASK, _MASK_WORD).lower()
