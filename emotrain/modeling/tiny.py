"""Tiny vision-language models that see: random ones for tests, and the trained base that ships with the package.

    python -m emotrain.modeling.tiny [--out FOLDER] [--seed 0] [--strangers 420]

builds the shipped base anew: minutes on one thread, a pure function of the seed on one machine. With `--strangers` so
many people of the known styles go to school too, and eyes carry over to faces that were drawn otherwise.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, NamedTuple

from emotrain.modeling.tiny_architecture import tiny_model, tiny_processor
from emotrain.modeling.tiny_base_path import SHIPPED
from emotrain.modeling.tiny_tokenizer import train_tokenizer


class VisionLanguageModel(NamedTuple):
    """A model with the processor that goes with it."""

    model: Any
    processor: Any


def random_tiny(
    seed: int = 0, texts: tuple[str, ...] = (), width: int = 48, text_layers: int = 2, vision_depth: int = 1
) -> VisionLanguageModel:
    """A Qwen2.5-VL with random weights and its real processor, built in under a second; words of `texts` are tokens."""
    tokenizer = train_tokenizer(texts)
    model = tiny_model(tokenizer, seed, width, text_layers, vision_depth)
    return VisionLanguageModel(model, tiny_processor(tokenizer))


def build_tiny_base(
    out: Path,
    seed: int = 0,
    *,
    people: int = 560,
    strangers: int = 0,
    epochs: int = 3,
    steps: int = 1600,
    workers: int | None = None,
) -> dict[str, float]:
    """Build the base in `out` and return its measured figures, which the model card there reports, too.

    `people` are rendered in the classic way and `strangers` in the known styles; `epochs` are spent on eyesight and
    `steps` of lessons on language. Training runs on one thread.
    """
    import torch

    from emotrain.modeling.tiny_card import save_base
    from emotrain.modeling.tiny_exam import examine, transfer_figures
    from emotrain.modeling.tiny_eyesight import train_eyesight
    from emotrain.modeling.tiny_lessons import lesson_texts
    from emotrain.modeling.tiny_schooling import school
    from emotrain.modeling.tiny_stills import EXAM_PEOPLE, joined, render_stills
    from emotrain.synthetic.styles import KNOWN

    torch.set_num_threads(1)
    started = time.monotonic()
    tokenizer = train_tokenizer(lesson_texts())
    model, processor = tiny_model(tokenizer, seed), tiny_processor(tokenizer)
    stills = render_stills(seed, people, processor.image_processor, workers=workers)
    if strangers:
        drawn = render_stills(seed, strangers, processor.image_processor, people, workers, KNOWN)
        stills = joined(stills, drawn)
    readouts = train_eyesight(model.model.visual, stills, processor.image_processor, epochs, seed)
    school(model, processor, stills, steps, seed)
    unseen = render_stills(seed, EXAM_PEOPLE.stop - EXAM_PEOPLE.start, processor.image_processor, EXAM_PEOPLE.start)
    figures = examine(model, processor, readouts, unseen, seed)
    figures |= transfer_figures(model, processor, seed)
    figures["build_s"] = time.monotonic() - started
    save_base(out, model, processor, figures, seed)
    return figures


def main() -> None:
    """Command line of the builder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder to write (default: the package's own)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strangers", type=int, default=0, help="people of the known styles who go to school too")
    given = parser.parse_args()
    for name, value in build_tiny_base(given.out, given.seed, strangers=given.strangers).items():
        print(f"{name}: {value:.4g}")


if __name__ == "__main__":
    main()
