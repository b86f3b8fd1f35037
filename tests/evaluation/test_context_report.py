"""The report on summaries counts what it says and draws what is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from emotrain.context.summarize import load_summaries, summarize_clips
from emotrain.evaluation.context_report import PARTS, agreement, describe_backend, parts_named, report_context
from emotrain.evaluation.word_leak import WordLeak, word_leak
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip, Summary

Rendered = Callable[..., Recipe]


def told(*texts: str, clip_id: str = "a") -> dict[str, list[Summary]]:
    return {clip_id: [Summary(clip_id, k, k, k + 1, t, "no visible" not in t, "x") for k, t in enumerate(texts)]}


def test_parts_are_found_in_words_of_either_language() -> None:
    assert parts_named("Inner brows rise; mouth corners pull down") == {"brows", "mouth"}
    assert parts_named("眉毛上扬，下巴上提") == {"brows", "chin"}
    assert parts_named("no visible change.") == frozenset()
    from emotrain.context.facs_words import PHRASES

    assert all(parts_named(words) for words in PHRASES.values())


def test_agreement_is_one_with_oneself_and_below_chance_with_the_opposite() -> None:
    one = told("brows rise", "no visible change.", "brows lower", "lips part")
    other = told("no visible change.", "brows rise", "no visible change.", "brows rise")
    assert agreement(one, one)["brows"] == pytest.approx(1.0)
    assert agreement(one, other)["brows"] == pytest.approx(-1.0)
    assert agreement(one, one)["nose"] is None
    assert agreement(one, {})["gaps"] == 0


def test_figures_of_a_back_end_are_counts_of_its_texts() -> None:
    clips = {"a": Clip("a", "a.mp4", "fear")}
    texts = told("brows rise angrily", "no visible change.", "an angry jaw drops")
    found = describe_backend(texts, clips, lambda text: len(text.split()))
    assert (found["clips"], found["gaps"], found["tokens_mean"]) == (1, 3, 10.0)
    assert found["changed_share"] == pytest.approx(2 / 3)
    assert found["leaks"] == {"fear": {"anger": 2}}
    assert found["parts"]["brows"] == pytest.approx(0.5)
    limp = describe_backend(told("brows rise limply"), clips, len, own=("limp",))
    assert limp["leaks"] == {"fear": {"limp": 1}}


def test_the_leak_is_what_masking_takes_away_and_marks_that_tell_are_seen() -> None:
    clips = {f"c{i:02d}": Clip(f"c{i:02d}", "x", ("anger", "fear")[i % 2], subject=f"s{i // 4}") for i in range(40)}

    def leak(masked: Callable[[str], str], raw: Callable[[str], str] | None) -> WordLeak:
        told = {i: [Summary(i, 0, 0, 1, masked(clip.label), True, "x")] for i, clip in clips.items()}
        written = None if raw is None else {(i, 0): raw(clip.label) for i, clip in clips.items()}
        found = word_leak(told, written, clips)
        assert found is not None
        return found

    hidden = leak(lambda label: "brows move [...].", lambda label: f"brows move in {label}.")
    assert (hidden.written, hidden.masked, hidden.removed) == (1.0, 0.5, 1.0)
    marked = leak(lambda label: "[...] brows" if label == "fear" else "brows [...] move", None)
    assert (marked.written, marked.masked) == (None, 1.0)
    muscles = leak(lambda label: "brows lower" if label == "anger" else "lips stretch", lambda label: "")
    assert muscles.masked == 1.0
    assert set(muscles.telling["anger"]) == {"brows", "lower", "brows lower"}
    assert muscles.chance < 0.8
    assert word_leak({"c00": [Summary("c00", 0, 0, 1, "a", True, "x")]}, None, clips) is None


def test_the_report_covers_every_back_end_of_a_data_folder(rendered: Rendered, tmp_path: Path) -> None:
    recipe = rendered()
    data = Path(recipe.data.data)
    motion = load_summaries(data, "motion")
    rows = [
        json.dumps({"clip_id": clip_id, "gap": summary.gap, "text": summary.text})
        for clip_id, gaps in motion.items()
        for summary in gaps
    ]
    texts = tmp_path / "texts.jsonl"
    texts.write_text("\n".join(rows) + "\n", encoding="utf-8")
    summarize_clips(data, "precomputed", path=texts, shards=2)
    page = report_context(recipe, tmp_path / "out", examples=2).read_text(encoding="utf-8")
    facts = json.loads((tmp_path / "out" / "context.json").read_text(encoding="utf-8"))
    assert len(facts["backends"]) == 2
    first, second = facts["backends"].values()
    assert first == second
    motion_leak, texts_leak = facts["leak"].values()
    assert motion_leak == texts_leak
    assert motion_leak["written"] == motion_leak["masked"] > motion_leak["chance"]
    assert "| as written | masked |" in page
    assert 0.05 < first["changed_share"] < 0.5
    (pair,) = facts["agreement"].values()
    assert pair["gaps"] == sum(len(gaps) for gaps in motion.values())
    assert all(pair[part] in (1.0, None) for part in PARTS)
    assert "Cohen's kappa" in page
    assert (tmp_path / "out" / "examples.png").stat().st_size > 20_000
