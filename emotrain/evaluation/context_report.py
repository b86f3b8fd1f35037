"""`emotrain context report RECIPE --out E`: what summaries are like, before a model is trained on them.

Tokens a clip, share of gaps with change, emotion words by class, how well a linear reader tells the label from the
words before and after masking, agreement of back ends on which part of the face moved, and a picture of single clips
with their words. Tables as Markdown and JSON.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emotrain.atomic_files import replacing, write_json, write_text
from emotrain.context.budget import text_tokens
from emotrain.context.leakage import count_leaks, own_labels
from emotrain.context.summarize import load_summaries, summaries_folder
from emotrain.datasets.clips import read_index
from emotrain.evaluation.figures import STYLE
from emotrain.evaluation.word_leak import word_leak, written_texts
from emotrain.examples.manifests import usable_clips
from emotrain.markdown import plain
from emotrain.pictures import picture_of
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip, Frame, Summary
from emotrain.stable_hash import stable_hash
from emotrain.video.frame_store import FrameStore

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARTS: Mapping[str, tuple[str, ...]] = {
    "brows": ("brow", "glabella", "眉"),
    "eyes": ("lid", "eye", "blink", "gaze", "眼", "睑"),
    "cheeks": ("cheek", "脸颊", "面颊"),
    "nose": ("nose", "nostril", "鼻"),
    "mouth": ("lip", "mouth", "嘴", "唇"),
    "chin": ("chin", "jaw", "下巴", "下颌"),
}
"""Words that speak of a part of the face, in both languages; plurals and compounds hold the same letters."""

Told = Mapping[str, Sequence[Summary]]


def parts_named(text: str) -> frozenset[str]:
    """The parts of the face that a text speaks of."""
    lower = text.lower()
    return frozenset(part for part, words in PARTS.items() if any(word in lower for word in words))


def report_context(recipe: Recipe, out: Path, *, examples: int = 6) -> Path:
    """Report on every folder of the recipe's `data/summaries`; writes context.{md,json} and examples.png to `out`.

    Raises FileNotFoundError when there are no summaries.
    """
    data = Path(recipe.data.data)
    names = sorted(path.name for path in (data / "summaries").glob("*") if any(path.glob("part-*.parquet")))
    if not names:
        raise FileNotFoundError(f"{data / 'summaries'}: no summaries here; run `emotrain prep` with this recipe first")
    clips = {clip.clip_id: clip for split in ("train", "validation", "test") for clip in usable_clips(recipe, split)[0]}
    told = {name: load_summaries(data, name) for name in names}
    count = _token_counter(recipe)
    own = own_labels(read_index(data).label_set.labels)
    facts: dict[str, Any] = {
        "backends": {name: describe_backend(of_name, clips, count, own) for name, of_name in told.items()},
        "leak": {name: _leak(of_name, summaries_folder(data, name), clips, own) for name, of_name in told.items()},
        "agreement": {
            f"{first} / {second}": agreement(told[first], told[second]) for first, second in combinations(names, 2)
        },
    }
    write_json(facts, out / "context.json")
    page = out / "context.md"
    write_text(_markdown(facts), page)
    _picture(told[names[0]], clips, FrameStore(data / "frames"), out / "examples.png", examples)
    return page


def describe_backend(
    told: Told, clips: Mapping[str, Clip], count: Callable[[str], int], own: Sequence[str] = ()
) -> dict[str, Any]:
    """Figures of one back end: tokens a clip (mean, median, 95th percentile), share of gaps with change, leaks.

    `own` are a user's own labels, whose words are leaks too.
    """
    of_clips = {clip_id: told[clip_id] for clip_id in clips if clip_id in told}
    tokens = [sum(count(summary.text) for summary in gaps) for gaps in of_clips.values()]
    lasting = [summary for gaps in of_clips.values() for summary in gaps if summary.end_s > summary.start_s]
    leaks: dict[str, Counter[str]] = {}
    for clip_id, gaps in of_clips.items():
        found = count_leaks([summary.text for summary in gaps], own)
        if found:
            leaks.setdefault(clips[clip_id].label, Counter()).update(found)
    return {
        "clips": len(of_clips),
        "tokens_mean": float(np.mean(tokens)) if tokens else 0.0,
        "tokens_median": float(np.median(tokens)) if tokens else 0.0,
        "tokens_p95": float(np.percentile(tokens, 95)) if tokens else 0.0,
        "gaps": len(lasting),
        "changed_share": float(np.mean([summary.changed for summary in lasting])) if lasting else 0.0,
        "changed_by_class": _changed_by_class(of_clips, clips),
        "parts": _part_shares(lasting),
        "leaks": {label: dict(found) for label, found in sorted(leaks.items())},
    }


def agreement(first: Told, second: Told) -> dict[str, Any]:
    """Cohen's kappa of two back ends on each part of the face (is it named in this gap?) over the gaps both have.

    None where neither ever names the part, for then there is nothing to agree on.
    """
    from sklearn.metrics import cohen_kappa_score

    pairs = []
    for clip_id in sorted(set(first) & set(second)):
        others = {summary.gap: summary for summary in second[clip_id]}
        pairs += [(summary, others[summary.gap]) for summary in first[clip_id] if summary.gap in others]
    result: dict[str, Any] = {"gaps": len(pairs)}
    for part in PARTS:
        one = [part in parts_named(a.text) for a, _ in pairs]
        two = [part in parts_named(b.text) for _, b in pairs]
        settled = len({*one, *two}) == 1  # kappa is 0 / 0 when all say the same
        result[part] = (1.0 if one and one[0] else None) if settled or not pairs else float(cohen_kappa_score(one, two))
    return result


def _changed_by_class(told: Told, clips: Mapping[str, Clip]) -> dict[str, float]:
    hits: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for clip_id, gaps in told.items():
        for summary in gaps:
            if summary.end_s > summary.start_s:
                totals[clips[clip_id].label] += 1
                hits[clips[clip_id].label] += summary.changed
    return {label: hits[label] / totals[label] for label in sorted(totals)}


def _part_shares(summaries: Sequence[Summary]) -> dict[str, float]:
    named = [parts_named(summary.text) for summary in summaries if summary.changed]
    return {part: sum(part in found for found in named) / len(named) if named else 0.0 for part in PARTS}


def _token_counter(recipe: Recipe) -> Callable[[str], int]:
    from emotrain.modeling.loading import load_processor

    tokenizer = load_processor(str(recipe.model.model_name_or_path)).tokenizer
    return partial(text_tokens, tokenizer)


def _markdown(facts: Mapping[str, Any]) -> str:
    lines = ["| summaries | clips | tokens a clip (median, 95 %) | gaps with change | clips' classes with leaks |"]
    lines.append("|-|-|-|-|-|")
    for name, row in facts["backends"].items():
        leaks = ", ".join(f"{plain(label)} {sum(found.values())}" for label, found in row["leaks"].items())
        tokens = f"{row['tokens_mean']:.1f} ({row['tokens_median']:.0f}, {row['tokens_p95']:.0f})"
        lines.append(f"| {plain(name)} | {row['clips']} | {tokens} | {row['changed_share']:.1%} | {leaks or 'none'} |")
    lines += ["", "Share of the gaps with change, by class, and of the parts of the face named in them:", ""]
    for name, row in facts["backends"].items():
        classes = ", ".join(f"{plain(label)} {share:.0%}" for label, share in row["changed_by_class"].items())
        parts = ", ".join(f"{part} {share:.0%}" for part, share in row["parts"].items())
        lines += [f"* {plain(name)}: {classes}; {parts}"]
    lines += _leak_lines(facts["leak"])
    if facts["agreement"]:
        lines += ["", "Agreement on which part moved in a gap (Cohen's kappa):", ""]
        lines += [f"| back ends | gaps | {' | '.join(PARTS)} |", "|-|-|" + "-|" * len(PARTS)]
        for name, row in facts["agreement"].items():
            cells = ("–" if row[part] is None else f"{row[part]:.2f}" for part in PARTS)
            lines.append(f"| {plain(name)} | {row['gaps']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _leak(told: Told, folder: Path, clips: Mapping[str, Clip], own: Sequence[str]) -> dict[str, Any] | None:
    found = word_leak(told, written_texts(folder), clips, own)
    return None if found is None else asdict(found)


def _leak_lines(leak: Mapping[str, Any]) -> list[str]:
    """The table of `word_leak` and the words that speak most for each class."""
    lines = [
        "",
        "UAR of a linear reader of the words alone, in five folds. Muscles tell emotions too: the leak is what",
    ]
    lines += ["masking takes away; whether any is left shows in the words that speak most for each class:", ""]
    lines += ["| summaries | as written | masked | masked words alone | labels shuffled |", "|-|-|-|-|-|"]
    for name, row in leak.items():
        cells = ["too few clips"] + 3 * [""] if row is None else [
            "not kept" if row["written"] is None else f"{row['written']:.1%}",
            f"{row['masked']:.1%}",
            "none" if row["removed"] is None else f"{row['removed']:.1%}",
            f"{row['chance']:.1%}",
        ]  # fmt: skip
        lines.append(f"| {plain(name)} | {' | '.join(cells)} |")
    for name, row in leak.items():
        for label, words in (row or {"telling": {}})["telling"].items():
            lines.append(f"* {plain(name)}, {plain(label)}: {', '.join(map(plain, words))}")
    return lines


def _picture(told: Told, clips: Mapping[str, Clip], store: FrameStore, path: Path, examples: int) -> None:
    """Single clips in a row each: keyframes in time order and, between them, what is told of the gap."""
    import matplotlib

    changed = [clip_id for clip_id in told if clip_id in clips and any(summary.changed for summary in told[clip_id])]
    chosen = sorted(changed, key=lambda clip_id: stable_hash(f"example/{clip_id}"))[:examples]
    if not chosen:
        return
    with matplotlib.rc_context(STYLE | {"axes.grid": False}), replacing(path) as temporary:
        _draw([(clips[clip_id], store.keyframes(clip_id), told[clip_id]) for clip_id in chosen]).savefig(
            temporary, format="png", dpi=130
        )


def _draw(rows: Sequence[tuple[Clip, Sequence[Frame], Sequence[Summary]]]) -> Figure:
    from matplotlib.figure import Figure

    columns = max(len(frames) for _, frames, _ in rows)
    figure = Figure(figsize=(1.25 + 2.55 * columns, 1.75 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 2 * columns + 1, squeeze=False, width_ratios=[1.1, *([1.3, 1.1] * columns)])
    for axes, (clip, frames, summaries) in zip(grid, rows):
        words = {summary.gap: summary for summary in summaries}
        for panel in axes:
            panel.set_axis_off()
        for gap in range(len(frames) + 1):
            summary = words.get(gap)
            text = "" if summary is None or summary.end_s <= summary.start_s else summary.text
            shade = "#30343a" if summary is not None and summary.changed else "#8a919b"
            axes[2 * gap].text(0.5, 0.5, textwrap.fill(text, 21), ha="center", va="center", fontsize=6.2, color=shade)
            if gap < len(frames):
                axes[2 * gap + 1].imshow(picture_of(frames[gap].image))
                axes[2 * gap + 1].set_title(f"{frames[gap].time_s:.2f} s", fontsize=7, loc="center")
        axes[0].set_title(f"{clip.label}\n{clip.kind or ''}", fontsize=7.5, loc="left")
    return figure
