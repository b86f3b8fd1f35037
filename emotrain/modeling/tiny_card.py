"""Writes the tiny base to a folder: half-precision weights, the processor's files and a model card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

LIMIT_BYTES = 4_000_000

_CARD = """\
---
license: apache-2.0
library_name: transformers
pipeline_tag: image-text-to-text
tags: [emotrain, synthetic, facial-action-units]
---
# emotrain tiny base

A vision-language model of {parameters:.2f} million parameters in the `Qwen2_5_VLForConditionalGeneration` architecture,
with the real Qwen2.5-VL processor (84 x 84 frames, 9 visual tokens each) and a small BPE tokenizer. It exists so that
emotrain's demo and tests run on a laptop; it reads the drawn faces of `emotrain.synthetic`, and no real ones.

## How it was made
`python -m emotrain.modeling.tiny --seed {seed}` took {minutes:.0f} minutes ({cores} cores to render, one to train).
1. Vision tower and merger learn action-unit intensities from rendered stills of random people with random,
   independently drawn units (JPEG, noise, head pose, light). None of these people is in a demo clip.
2. The language model takes lessons in the project's prompt format, the vision side frozen: name the actions that the
   keyframes show, name those that the summaries report, and answer the emotion question with a label drawn uniformly
   from the options. No action unit is ever paired with an emotion: zero-shot answers are valid and at chance.

## Measured on people it has not seen
| figure | value |
|-|-|
{rows}
"""


def save_base(out: Path, model: Any, processor: Any, figures: Mapping[str, float], seed: int) -> None:
    """Save model (float16) and processor in `out`; raises ValueError when the weights exceed 4 MB."""
    import copy
    import os

    out.mkdir(parents=True, exist_ok=True)
    half = copy.deepcopy(model).half()
    half.config.dtype = "float16"
    half.save_pretrained(out)
    processor.save_pretrained(out)
    size = (out / "model.safetensors").stat().st_size
    if size > LIMIT_BYTES:
        raise ValueError(f"{out}/model.safetensors: {size} bytes, at most {LIMIT_BYTES} ship; make the base smaller")
    rows = "\n".join(f"| {name} | {value:.3g} |" for name, value in figures.items() if name != "parameters")
    card = _CARD.format(
        parameters=figures["parameters"] / 1e6,
        seed=seed,
        minutes=figures["build_s"] / 60,
        cores=len(os.sched_getaffinity(0)),
        rows=rows,
    )
    (out / "README.md").write_text(card, encoding="utf-8")
    for file in out.iterdir():
        # safetensors writes for the owner alone, and an installed package is read by others.
        file.chmod(0o644)
