"""Examples: every context key changes what it says in what the model reads, and nothing else."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from emotrain.atomic_files import write_json, write_table
from emotrain.context.facs_words import describe
from emotrain.context.prompt import prompt_text
from emotrain.datasets.clips import read_clips
from emotrain.emotions import LABEL_SETS
from emotrain.examples.examples import Collator, Examples
from emotrain.modeling.loading import load_processor
from emotrain.recipe.arguments import ContextArguments, DataArguments
from emotrain.records import Event, Summary, to_table
from emotrain.stages.parts import part_path

LABELS = LABEL_SETS["dfew"].labels
CLIP = "clip03"
KEYFRAME = r"\[\d\.\d\d s\]"


@pytest.fixture(scope="module")
def told(bench: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bench's data with summaries: each clip's own peak time stands in its words."""
    data = tmp_path_factory.mktemp("told") / "data"
    shutil.copytree(bench.data, data)
    rows = []
    for n, clip in enumerate(read_clips(data)):
        event = Event(0.4, 0.4 + n / 100, 0.7, ("left inner brow",), ("1",), 9.0)
        later = Event(0.8, 0.8 + n / 100, 0.99, ("chin",), ("17",), 5.0)
        for gap, (start_s, end_s, events) in enumerate(
            [(0.0, 0.25, ()), (0.25, 0.75, (event,)), (0.75, 1.0, (later,))]
        ):
            rows.append(
                Summary(clip.clip_id, gap, start_s, end_s, describe(events), bool(events), "motion", tuple(events))
            )
    folder = data / "summaries" / "motion-0"
    write_table(to_table(rows, Summary), part_path(folder, 0, 1))
    write_json({"backend": "motion"}, folder / "backend.json")
    return data


def text(told: Path, clip_id: str = CLIP, **keys: Any) -> str:
    examples = Examples(
        DataArguments(data=str(told), label_set="dfew"),
        ContextArguments(**{"summarizer": "motion-0", **keys}),
        LABELS,
        tokenizer=load_processor("tiny").tokenizer,
    )
    return prompt_text(examples.messages(clip_id)[0])


def pieces(prompt: str) -> list[str]:
    return prompt.replace("<image>", "|").split("|")


def test_the_default_tells_the_summaries_as_they_are(told: Path) -> None:
    assert text(told) == (
        "no visible change. [0.25 s] <image> 0.40-0.70 s: inner brows rise (brief, peak 0.43 s). [0.75 s] <image> "
        "0.80-0.99 s: chin rises (brief, peak 0.83 s). "
        "Which emotion does the person show? Options: happiness, sadness, neutral, anger, surprise, disgust, fear."
    )


def test_summary_only_leaves_out_the_pixels_and_nothing_else(told: Path, bench: Any) -> None:
    assert text(told, show_images=False) == text(told).replace("<image> ", "")
    data = DataArguments(data=str(told), label_set="dfew")
    processor = load_processor(str(bench.base))
    blind = Collator(
        Examples(data, ContextArguments(show_images=False, summarizer="motion-0"), LABELS), processor
    ).inputs([CLIP])
    seeing = Collator(Examples(data, ContextArguments(summarizer="motion-0"), LABELS), processor).inputs([CLIP])
    assert "pixel_values" not in blind
    assert "pixel_values" in seeing


def test_reversed_and_shuffled_move_the_words_between_the_same_keyframes(told: Path) -> None:
    plain = text(told)
    backwards = text(told, context_control="reversed")
    assert "no visible change. Which" in backwards
    for control in ("reversed", "shuffled"):
        changed = text(told, context_control=control)
        assert changed != plain
        assert Counter(timeless(changed)) == Counter(timeless(plain))
        for of_plain, of_changed in zip(re.findall(KEYFRAME, plain), re.findall(KEYFRAME, changed), strict=True):
            assert of_plain == of_changed
    # Told of the gap from 0 to 0.25 s: what began 0.05 s into its own gap and outlasts this one.
    assert pieces(backwards)[0].startswith("0.05-0.24 s: chin rises (brief, peak 0.08 s).")


def timeless(prompt: str) -> list[str]:
    """The words of a prompt without the times of its events, which move with their words."""
    return re.sub(r"\d+\.\d\d(-\d+\.\d\d)? s", "#", prompt).split()


def test_static_text_keeps_the_token_count_and_no_word(told: Path) -> None:
    tokenizer = load_processor("tiny").tokenizer
    static, plain = text(told, context_control="static"), text(told)
    assert len(tokenizer.encode(static)) == len(tokenizer.encode(plain))
    assert "brows" not in static
    assert "chin" not in static
    assert pieces(static)[-1].endswith(pieces(plain)[-1][-60:])


@pytest.mark.parametrize(("control", "same"), [("same_class", True), ("other_class", False), ("any", None)])
def test_a_swapped_summary_is_that_of_another_clip_of_the_class_asked_for(
    told: Path, control: str, same: bool | None
) -> None:
    clips = read_clips(told)
    labels = {f"peak {0.4 + n / 100:.2f} s": (clip.label, clip.split) for n, clip in enumerate(clips)}
    for n, clip in enumerate(clips):
        if clip.split == "train":
            words = text(told, clip.clip_id, context_control=control)
            donor = next(found for mark, found in labels.items() if mark in words)
            assert same is None or (donor[0] == clip.label) == same
            assert donor[1] == clip.split
            assert f"peak {0.4 + n / 100:.2f} s" not in words


def test_training_draws_alone_lose_their_words_by_dropout_and_noise(told: Path, bench: Any) -> None:
    data = DataArguments(data=str(told), label_set="dfew")
    context = ContextArguments(summarizer="motion-0", summary_dropout=0.5, summary_noise=0.5)
    examples = Examples(data, context, LABELS)
    clean = [summary.text for summary in examples.made_summaries(CLIP)]
    assert [summary.text for summary in examples.summaries(CLIP)] == clean, "nothing at test time"
    seen = [tuple(summary.text for summary in examples.summaries(CLIP, draw=draw)) for draw in range(80)]
    assert seen == [tuple(summary.text for summary in examples.summaries(CLIP, draw=draw)) for draw in range(80)]
    assert seen.count(("",) * len(clean)) == pytest.approx(40, abs=15)
    assert len(set(seen)) > 4
    collator = Collator(examples, load_processor(str(bench.base)))
    rows = [{"clip_id": CLIP, "label": LABELS[0], "weight": 1.0, "draw": draw} for draw in (seen.index(("",) * 3), 0)]
    lengths = [int(collator([row])["attention_mask"].sum()) for row in rows]
    assert lengths[0] < int(collator.inputs([CLIP])["attention_mask"].sum())
    with pytest.raises(ValueError, match="context is none"):
        ContextArguments(context="none", summary_dropout=0.5)
    with pytest.raises(ValueError, match="context_control: static"):
        ContextArguments(context_control="static", summary_noise=0.5)


def test_faults_strike_the_share_asked_for(told: Path) -> None:
    assert "brows" not in text(told, corrupt_summaries="drop", corrupt_share=1.0)
    assert "inner brows rise" not in text(told, corrupt_summaries="region", corrupt_share=1.0)
    clips = [clip.clip_id for clip in read_clips(told)]
    hit = sum(text(told, clip, corrupt_summaries="drop", corrupt_share=0.5).count("rise") for clip in clips) / sum(
        text(told, clip).count("rise") for clip in clips
    )
    assert 0.25 < hit < 0.75


def test_a_token_budget_shortens_the_weakest_gap_first(told: Path) -> None:
    tokenizer = load_processor("tiny").tokenizer
    strong = len(tokenizer.encode(" 0.40-0.70 s: inner brows rise (brief, peak 0.43 s).", add_special_tokens=False))
    short = text(told, max_summary_tokens=strong)
    assert "inner brows rise" in short
    assert "chin" not in short
    assert "no visible change" not in short
    assert short.count("<image>") == text(told).count("<image>")
    assert "brows" not in text(told, max_summary_tokens=0)


def test_the_trajectory_follows_the_last_gap(told: Path) -> None:
    assert (
        "peak 0.83 s). Over the clip: brow, then chin moves; rises in 0.03 s, peaks at 0.43 s, relaxed by 0.70 s. Which"
        in text(told, trajectory=True)
    )


def test_chinese_prompts_name_the_labels_in_chinese_and_score_those_names(told: Path) -> None:
    from emotrain.emotions import display_names
    from emotrain.modeling.label_tokens import processor_labels

    prompt = text(told, language="zh", trajectory=True)
    assert "高兴、悲伤、中性、愤怒、惊讶、厌恶、恐惧。" in prompt
    assert "[0.25 秒] <image>" in prompt
    assert "眉、下巴" in prompt
    for keys in ({"context_control": "reversed"}, {"corrupt_summaries": "time", "corrupt_share": 1.0}):
        anew = text(told, language="zh", **keys)
        assert "下巴上提" in anew
        assert "chin rises" not in anew
    names = display_names(LABELS, "zh")
    assert len(set(names)) == len(LABELS)
    assert display_names(["my own label"], "zh") == ("my own label",)
    with pytest.raises(ValueError, match=r"no prompt template emotion\.de\.jinja"):
        text(told, language="de")
    processor = load_processor("tiny")
    labels = processor_labels(processor, LABELS, names)
    assert labels.labels == LABELS
    assert [processor.tokenizer.decode(ids[:-1]) for ids in labels.tokens] == list(names)


def test_shuffled_options_hang_on_the_draw_and_fixed_ones_do_not(told: Path) -> None:
    data = DataArguments(data=str(told), label_set="dfew")
    processor = load_processor("tiny")

    def ids(draw: int, **keys: Any) -> torch.Tensor:
        collator = Collator(Examples(data, ContextArguments(summarizer="motion-0", **keys), LABELS), processor)
        row = {"clip_id": CLIP, "label": "anger", "weight": 1.0, "draw": draw}
        return collator([row])["input_ids"]

    assert torch.equal(ids(0), ids(1))
    shuffled = [ids(draw, option_order="shuffled") for draw in range(3)]
    assert not torch.equal(shuffled[0], shuffled[1])
    assert torch.equal(shuffled[0], ids(0, option_order="shuffled"))
    assert not torch.equal(shuffled[0], ids(0, option_order="shuffled", context_seed=1))
    assert Counter(shuffled[0].flatten().tolist()) == Counter(ids(0).flatten().tolist())


def test_scores_averaged_over_option_orders_are_the_mean_of_the_likelihoods(told: Path, bench: Any) -> None:
    from emotrain.context.option_order import option_orders
    from emotrain.examples.scoring import score_clips
    from emotrain.modeling.label_scoring import label_logits
    from emotrain.modeling.label_tokens import processor_labels
    from emotrain.modeling.loading import load_model

    processor, model = load_processor(str(bench.base)), load_model(str(bench.base), "float32").eval()
    collator = Collator(
        Examples(DataArguments(data=str(told), label_set="dfew"), ContextArguments(summarizer="motion-0"), LABELS),
        processor,
    )
    labels = processor_labels(processor, LABELS)
    got = score_clips(model, [CLIP, "clip05"], collator, labels, batch_size=2, option_orders=3)
    with torch.inference_mode():
        singly = [
            label_logits(model, collator.inputs([CLIP], [order]), labels)[0].double().exp()
            for order in option_orders(len(LABELS), 3, CLIP)
        ]
    assert torch.allclose(torch.from_numpy(got[0]).exp(), torch.stack(singly).mean(0), rtol=1e-4)
    plain = score_clips(model, [CLIP, "clip05"], collator, labels, batch_size=2)
    assert abs(plain[0] - got[0]).max() > 1e-5


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"context_control": "revers"}, "context_control: 'revers'.*did you mean 'reversed'"),
        ({"corrupt_summaries": "drop"}, "changes nothing"),
        ({"corrupt_share": 0.2}, "changes nothing"),
        ({"corrupt_summaries": "drop", "corrupt_share": 1.5}, "not between 0 and 1"),
        ({"context": "none", "trajectory": True}, "needs summaries"),
        ({"trajectory": True, "max_summary_tokens": 20}, "leave the trajectory out"),
        ({"trajectory": True, "context_control": "static"}, "leave the trajectory out"),
        ({"context": "none", "show_images": False}, "needs summaries"),
        ({"context": "none", "context_control": "static"}, "needs summaries"),
        ({"option_order": "random"}, "option_order: 'random'"),
        ({"max_summary_tokens": -1}, "below 0"),
    ],
)
def test_a_key_that_is_wrong_or_would_do_nothing_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ContextArguments(**keys)
