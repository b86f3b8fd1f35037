"""Whether plain greedy `generate` says the label that scores best: what a server without label scoring would answer.

    python benchmarks/agreement.py recipes/tiny/enriched_balanced.yaml --adapter RUN [--key value ...]

Scores a split of the recipe's data (test, or `--split validation`) in both ways with one adapter, and prints the share
of clips on which they agree and how much probability the label set holds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from peft import PeftModel

from emotrain.emotions import label_set
from emotrain.examples.base_model import load_base
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.manifests import usable_clips
from emotrain.modeling.label_scoring import label_logits, label_mass
from emotrain.modeling.label_tokens import processor_labels
from emotrain.progress import track
from emotrain.recipe.recipe import load_recipe

SPARE_TOKENS = 8
"""Tokens a reply may run on beyond the longest label before it is cut off."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--adapter", help="folder or Hub id; without one the base answers")
    arguments, overrides = parser.parse_known_args()
    torch.set_num_threads(1)
    recipe = load_recipe(arguments.recipe, overrides)
    model, processor = load_base(recipe)
    if arguments.adapter is not None:
        model = PeftModel.from_pretrained(model, arguments.adapter).eval()
    names = label_set(recipe.data.label_set).labels
    labels = processor_labels(processor, names)
    collator = Collator(Examples(recipe.data, recipe.context, names), processor)
    clips, _ = usable_clips(recipe, recipe.evaluation.split)  # type: ignore[arg-type]
    size = recipe.sft.per_device_eval_batch_size
    longest = max(len(tokens) for tokens in labels.tokens)
    agreed, right, masses = 0, 0, []
    with track("score and generate", len(clips)) as advance, torch.inference_mode():
        for start in range(0, len(clips), size):
            some = clips[start : start + size]
            batch = collator.inputs([clip.clip_id for clip in some])
            logits = label_logits(model, batch, labels)
            masses.append(label_mass(logits).exp())
            out = model.generate(**batch, max_new_tokens=longest + SPARE_TOKENS, do_sample=False)
            replies = processor.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
            best = [names[index] for index in logits.argmax(-1)]
            agreed += sum(reply.strip() == label for reply, label in zip(replies, best))
            right += sum(clip.label == label for clip, label in zip(some, best))
            advance(len(some))
    mass = torch.cat(masses)
    print("| clips | generate says the label that scores best | accuracy | label mass, mean | label mass, least |")
    print("|-|-|-|-|-|")
    print(
        f"| {len(clips)} | {agreed} ({agreed / len(clips):.1%}) | {right / len(clips):.1%} | {mass.mean():.4f} | "
        f"{mass.min():.4f} |"
    )


if __name__ == "__main__":
    main()
