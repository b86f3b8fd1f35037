"""Label scoring against what it replaces, on one model, one set of pre-collated batches and one thread: a table.

    python benchmarks/score.py --model tiny --repeats 8
    python benchmarks/score.py --model large --repeats 2

* the prompt alone: one pass over the prompts, the head on the last token; what no way of asking can do without
* separate passes: prompt and label through the model, once for each of the C labels
* generate + parse: `model.generate` without sampling, the reply read by emotrain's free-text scorer. A model trained on
  the labels says the label and stops, others write more, so replies are held to several lengths.

All of them go through the same forward, apply the head only where a token is predicted and see the same pixels.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image

from emotrain.context.facs_words import describe
from emotrain.context.prompt import PromptSettings, build_messages
from emotrain.emotions import LABEL_SETS
from emotrain.metrics.free_text import score_reply
from emotrain.modeling.chats import encode_chats
from emotrain.modeling.label_scoring import label_logits
from emotrain.modeling.label_tokens import LabelTokens, processor_labels
from emotrain.modeling.loading import load_model, load_processor
from emotrain.modeling.tiny_architecture import tiny_config
from emotrain.records import Event, Frame, Summary

LABELS = LABEL_SETS["mafw"].labels
KEYFRAMES = 4
WIDTH, LAYERS, VOCABULARY = 528, 8, 152_064
UNITS = ("1", "4", "6", "12", "15", "17", "20", "26")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("tiny", "large"), default="tiny", help="shipped base, or random weights")
    parser.add_argument("--repeats", type=int, default=3, help="the least CPU time of so many is reported")
    parser.add_argument("--batch", type=int, default=4, help="clips a batch")
    parser.add_argument("--label-tokens", type=int, default=2, help="tokens of a label of the large model")
    parser.add_argument("--replies", type=int, nargs="+", default=[24, 128], help="tokens of longer replies")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    processor = load_processor("tiny")
    batch = prompts(processor, arguments.batch)
    rows, length = batch["input_ids"].shape
    print(f"{rows} clips a batch, {KEYFRAMES} keyframes, {length} tokens a prompt, {len(LABELS)} labels, float32\n")
    print("| model | way | CPU ms a clip | times as long as label scoring |\n|-|-|-|-|")
    if arguments.model == "tiny":
        name, model, labels = "tiny base", load_model("tiny", "float32"), processor_labels(processor, LABELS)
    else:
        name, model = f"width {WIDTH}, {LAYERS} layers, vocabulary 152k", large_model(processor.tokenizer)
        labels = spelled_labels(processor.tokenizer, arguments.label_tokens)
    ways: dict[str, Callable[[], Any]] = {
        "label scoring": partial(label_logits, model, batch, labels),
        "the prompt alone": partial(prompt_alone, model, batch),
        f"{len(labels)} separate passes": partial(separate, model, batch, labels),
    }
    for tokens in (max(len(ids) for ids in labels.tokens), *arguments.replies):
        ways[f"generate + parse, {tokens} tokens"] = partial(generated, model, processor, batch, tokens)
    with torch.inference_mode():
        check(ways["label scoring"](), ways[f"{len(labels)} separate passes"]())
        times_s = least(ways, arguments.repeats)
    for way, seconds in times_s.items():
        print(f"| {name} | {way} | {1000 * seconds / rows:.1f} | {seconds / times_s['label scoring']:.2f} |")


def prompts(processor: Any, clips: int) -> dict[str, torch.Tensor]:
    """One batch of enriched prompts about noise, of different lengths."""
    rng = np.random.default_rng(0)
    messages, images = [], []
    for _ in range(clips):
        frames = [Frame("clip", k, 0.5 + k, "keyframe", None, b"") for k in range(KEYFRAMES)]
        told = [tuple(sorted(rng.choice(UNITS, int(rng.integers(0, 3)), replace=False))) for _ in range(KEYFRAMES + 1)]
        events = [[Event(k, k + 0.1, k + 0.3, (), units, 8.0)] if units else [] for k, units in enumerate(told)]
        summaries = [Summary("clip", k, k, k + 1, describe(some), bool(some), "") for k, some in enumerate(events)]
        messages.append(build_messages(frames, summaries, LABELS, PromptSettings()))
        images.append([Image.fromarray(rng.integers(0, 256, (84, 84, 3), dtype=np.uint8)) for _ in frames])
    return encode_chats(processor, messages, images)


def large_model(tokenizer: Any) -> Any:
    """A Qwen2.5-VL with random weights: a head of practical size on a language model that fits a laptop."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    config = tiny_config(tokenizer, width=WIDTH, text_layers=LAYERS)
    config.text_config.vocab_size = VOCABULARY
    torch.manual_seed(0)
    return Qwen2_5_VLForConditionalGeneration(config).eval()


def spelled_labels(tokenizer: Any, length: int) -> LabelTokens:
    """The labels as `length` tokens each and the end of the turn; which tokens does not matter to the time."""
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    spelled = (tuple(1000 + length * index + place for place in range(length)) for index in range(len(LABELS)))
    return LabelTokens(LABELS, tuple((*ids, end) for ids in spelled))


def prompt_alone(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """(B, 1, V): what every way begins with."""
    return model(**batch, logits_to_keep=1, use_cache=False).logits


def separate(model: Any, batch: Mapping[str, torch.Tensor], labels: LabelTokens) -> torch.Tensor:
    """(B, C): every label in a pass of its own, the head applied to the label's positions only."""
    rows, columns = batch["input_ids"].shape[0], []
    for tokens in labels.tokens:
        answer = torch.tensor([tokens]).expand(rows, -1)
        longer = dict(batch) | {
            "input_ids": torch.cat([batch["input_ids"], answer], dim=1),
            "attention_mask": torch.cat([batch["attention_mask"], torch.ones_like(answer)], dim=1),
            "mm_token_type_ids": torch.cat([batch["mm_token_type_ids"], torch.zeros_like(answer)], dim=1),
        }
        read = model(**longer, logits_to_keep=len(tokens) + 1, use_cache=False).logits[:, :-1].float().log_softmax(-1)
        columns.append(read.gather(2, answer.unsqueeze(2)).sum((1, 2)))
    return torch.stack(columns, dim=1)


def generated(model: Any, processor: Any, batch: Mapping[str, torch.Tensor], tokens: int) -> list[str]:
    """The label that each reply of `tokens` tokens names, if any."""
    out = model.generate(**batch, min_new_tokens=tokens, max_new_tokens=tokens, do_sample=False)
    # Ids beyond the small tokenizer, which the large model writes, stand for words all the same.
    ids = out[:, batch["input_ids"].shape[1] :] % len(processor.tokenizer)
    return [score_reply(reply, LABELS) for reply in processor.batch_decode(ids, skip_special_tokens=True)]


def check(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """What is timed must be the same figures."""
    if (ours - theirs).abs().max() > 1e-3:
        raise SystemExit(f"label scoring and separate passes differ by {(ours - theirs).abs().max():.2g} nats")


def least(ways: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Least CPU seconds of each way; rounds go through all ways, so that a busy moment does not fall on one alone."""
    times_s: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, run in ways.items():
            started = time.process_time()
            run()
            times_s[way].append(time.process_time() - started)
    return {way: min(seconds) for way, seconds in times_s.items()}


if __name__ == "__main__":
    main()
