"""Diagnostics measure what they say: checked by hand, against the stored frames and against the model itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from emotrain.context.gaps import gaps_of
from emotrain.context.retell import retold
from emotrain.emotions import LABEL_SETS
from emotrain.evaluation.diagnostics.attention import attention_share
from emotrain.evaluation.diagnostics.durations import by_duration
from emotrain.evaluation.diagnostics.frame_counts import COUNTS, take
from emotrain.evaluation.diagnostics.orders import by_option_order
from emotrain.evaluation.diagnostics.prior import kl, label_prior, normalised, rank_correlation
from emotrain.evaluation.diagnostics.run import diagnose, some_of_each
from emotrain.evaluation.diagnostics.words import word_frequency
from emotrain.evaluation.scorer import Scorer, load_scorer, score_split
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.manifests import usable_clips
from emotrain.recipe.recipe import Recipe
from emotrain.records import Clip, Event, Summary

Rendered = Callable[..., Recipe]
CLIPS = 4


@pytest.fixture(scope="module")
def scorer(rendered: Rendered) -> Scorer:
    return load_scorer(rendered())


@pytest.fixture(scope="module")
def few(rendered: Rendered) -> list[Clip]:
    return some_of_each(usable_clips(rendered(), "test")[0], 6)


@pytest.fixture(scope="module")
def diagnosis(rendered: Rendered, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole diagnosis of the tiny base on CLIPS clips."""
    return diagnose(rendered(arm="as it stands"), tmp_path_factory.mktemp("diagnosis"), clips=CLIPS).parent


def test_every_english_label_has_a_frequency_and_common_words_have_more() -> None:
    labels = sorted({label for known in LABEL_SETS.values() for label in known.labels})
    assert None not in word_frequency(labels)
    fear, helplessness = word_frequency(["Fear", "helplessness"])
    assert fear is not None
    assert helplessness is not None
    assert fear > 50 * helplessness
    assert word_frequency(["焦虑"]) == [None]


def test_a_table_of_ones_own_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("word,frequency\n焦虑,12\n愤怒,4\n", encoding="utf-8")
    assert word_frequency(["愤怒", "焦虑", "fear"], table) == [4.0, 12.0, None]
    table.write_text("word,frequency\nfear,-1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="'fear' has the frequency '-1'"):
        word_frequency(["fear"], table)
    table.write_text("word;n\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected the columns word, frequency, found"):
        word_frequency(["fear"], table)


def test_distances_are_those_of_scipy() -> None:
    first, second = normalised([1, 2, 3]), normalised([5, 1, 1])
    assert kl(first, second) == pytest.approx(entropy(first, second))
    assert kl(first, first) == 0.0
    assert rank_correlation(first, second) == pytest.approx(-0.866, abs=1e-3)
    assert rank_correlation(first, np.full(3, 1 / 3)) is None


def test_the_label_prior_is_the_answer_to_blank_clips(rendered: Rendered, scorer: Scorer) -> None:
    found = label_prior(rendered(), scorer)
    assert sum(found["model"]) == pytest.approx(1.0)
    assert found["kl_data"] == pytest.approx(entropy(found["model"], found["data"]))
    assert found["kl_words"] == pytest.approx(entropy(found["model"], found["words"]))
    assert found["lacking"] == []


def test_clips_are_chosen_evenly_and_by_their_ids_alone() -> None:
    clips = [Clip(f"{label}{i}", "x", label) for label, n in (("fear", 9), ("anger", 2)) for i in range(n)]
    chosen = some_of_each(clips, 6)
    assert [clip.label for clip in chosen].count("anger") == 2
    assert chosen == some_of_each(list(reversed(clips)), 6)
    assert len(some_of_each(clips, 99)) == 11


def test_summaries_told_for_their_own_gaps_stay_as_they_are(rendered: Rendered, few: list[Clip]) -> None:
    recipe = rendered()
    examples = Examples(recipe.data, recipe.context, LABEL_SETS["mafw"].labels)
    for clip in few:
        stored = list(examples.summaries(clip.clip_id))
        times_s = [frame.time_s for frame in examples.keyframes(clip.clip_id)]
        assert retold(stored, gaps_of(clip.clip_id, times_s, stored[-1].end_s), "en") == stored


def test_events_and_texts_move_to_the_gaps_that_they_lie_in() -> None:
    event = Event(1.2, 1.3, 1.4, ("mouth",), ("12",), 8.0)
    by_motion = [
        Summary("a", 0, 0.0, 1.0, "no visible change.", False, "motion"),
        Summary("a", 1, 1.0, 2.0, "x", True, "motion", (event,)),
    ]
    gaps = gaps_of("a", [0.5, 1.25], 2.0)
    told = retold(by_motion, gaps, "en")
    assert [summary.changed for summary in told] == [False, False, True]
    assert told[2].events == (event,)
    assert "mouth corners pull up" in told[2].text
    by_model = [
        Summary("a", 0, 0.0, 1.0, "nothing new", False, "vlm"),
        Summary("a", 1, 1.0, 1.5, "she looks down", True, "vlm"),
        Summary("a", 2, 1.5, 2.0, "she looks up", True, "vlm"),
    ]
    told = retold(by_model, gaps, "en")
    assert [summary.text for summary in told] == ["nothing new", "nothing new", "she looks down she looks up"]


def test_frames_decoded_in_memory_are_those_of_the_frames_stage(rendered: Rendered, few: list[Clip]) -> None:
    recipe = rendered()
    examples = Examples(recipe.data, recipe.context, LABEL_SETS["mafw"].labels)
    taken = take(recipe, few[:2])
    for clip in few[:2]:
        frames, duration_s = taken[clip.clip_id]
        assert list(frames["segment_centres", 4]) == examples.keyframes(clip.clip_id)
        assert [len(frames["segment_centres", count]) for count in COUNTS] == list(COUNTS)
        assert duration_s == pytest.approx(clip.duration_s, abs=0.1)


def test_at_the_recipes_own_sampling_accuracy_is_that_of_evaluate(
    rendered: Rendered, scorer: Scorer, diagnosis: Path
) -> None:
    rows = json.loads((diagnosis / "diagnose.json").read_text(encoding="utf-8"))["by_frame_count"]
    own = next(row for row in rows if row["policy"] == "segment_centres" and row["frames"] == 4)
    clips = some_of_each(usable_clips(rendered(), "test")[0], CLIPS)
    answers = score_split(rendered(), scorer, clips).argmax(1)
    right = [scorer.labels.labels[i] == clip.label for i, clip in zip(answers, clips)]
    assert own["accuracy"]["value"] == pytest.approx(np.mean(right))
    misses = [row["p_miss"] for row in rows if row["policy"] == "segment_centres"]
    assert misses == sorted(misses, reverse=True)
    assert misses[0] > misses[-1]


def test_recall_by_length_is_counted_in_the_right_bin(rendered: Rendered) -> None:
    recipe = rendered()
    examples = Examples(recipe.data, recipe.context, LABEL_SETS["mafw"].labels)
    stored = usable_clips(recipe, "test")[0][0].clip_id
    times_s = [frame.time_s for frame in examples.keyframes(stored)]
    seen = Clip(stored, "x", "anger", onset_s=times_s[1] - 0.1, offset_s=times_s[1] + 0.1)
    missed = Clip(stored, "x", "fear", onset_s=times_s[1] + 0.01, offset_s=times_s[1] + 0.11)
    long = Clip(stored, "x", "anger", onset_s=0.0, offset_s=3.0)
    logits = np.zeros((4, 11))
    logits[:, 0] = 1.0  # anger, each time
    rows = by_duration(examples, [seen, missed, long, Clip(stored, "x", "anger")], logits)
    assert rows is not None
    assert [(row["from_s"], row["to_s"], row["clips"]) for row in rows] == [(0.0, 0.25, 2), (2.0, None, 1)]
    assert rows[0]["recall"]["value"] == 0.5
    assert rows[0]["missed"] == 0.5
    assert by_duration(examples, [Clip(stored, "x", "anger")], logits[:1]) is None


def test_the_first_order_is_the_label_sets_own(rendered: Rendered, scorer: Scorer, few: list[Clip]) -> None:
    recipe = rendered(context="none")
    found = by_option_order(recipe, scorer, few, orders=3)
    answers = score_split(recipe, scorer, few).argmax(1)
    gold = [scorer.labels.labels.index(clip.label) for clip in few]
    assert found["accuracy"][0] == pytest.approx(np.mean(answers == np.array(gold)))
    assert sum(found["by_place"]) == pytest.approx(1.0)
    assert by_option_order(recipe, scorer, few, orders=2)["changed"]["value"] <= found["changed"]["value"]


def test_attention_shares_are_the_models_own_and_nothing_stays_changed(
    rendered: Rendered, scorer: Scorer, few: list[Clip]
) -> None:
    recipe = rendered()
    before = score_split(recipe, scorer, few[:1])
    found = attention_share(recipe, scorer, few[:1])
    assert found is not None
    assert score_split(recipe, scorer, few[:1]) == pytest.approx(before, abs=1e-6)
    assert scorer.model.config.get_text_config()._attn_implementation == "sdpa"
    batch = Collator(Examples(recipe.data, recipe.context, scorer.labels.labels), scorer.processor).inputs(
        [few[0].clip_id]
    )
    scorer.model.set_attn_implementation("eager")
    with torch.inference_mode():
        attentions = scorer.model(**batch, output_attentions=True).attentions
    scorer.model.set_attn_implementation("sdpa")
    image = batch["input_ids"][0] == scorer.model.config.image_token_id
    expected = [float(layer[0, :, -1, image].sum(1).mean()) for layer in attentions]
    assert found["frames"] == pytest.approx(expected, abs=1e-5)
    assert found["frame_tokens"] == pytest.approx(float(image.float().mean()))
    assert attention_share(rendered(show_images="false"), scorer, few[:1]) is None


def test_one_page_of_pictures_tables_and_figures(rendered: Rendered, diagnosis: Path) -> None:
    import cv2

    found = json.loads((diagnosis / "diagnose.json").read_text(encoding="utf-8"))
    assert found["clips"] == CLIPS
    assert len(found["by_frame_count"]) == 9
    text = (diagnosis / "diagnose.md").read_text(encoding="utf-8")
    assert "wordfreq" in text
    assert text.count("| segment_centres |") == 5
    image = cv2.imread(str(diagnosis / "diagnose.png"))
    assert image.shape[1] > 1500
    assert image.std() > 20
    assert "as it stands" in (diagnosis / "diagnose.svg").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="--clips 0"):
        diagnose(rendered(), diagnosis, clips=0)
