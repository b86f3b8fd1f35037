"""Tiny random models of the real architecture, and prompts with frames, shared by the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from family_checkpoints import MADE, save
from PIL import Image

from emotrain.modeling.tiny import VisionLanguageModel, random_tiny

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny() -> VisionLanguageModel:
    return random_tiny(seed=1, texts=("Which emotion does the face show", "inner brow rises"))


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint of every family, each under its model type."""
    root = tmp_path_factory.mktemp("families")
    for name, made in MADE.items():
        save(made, root / name)
    return root


@pytest.fixture
def prompts(tiny: VisionLanguageModel) -> Callable[..., dict[str, torch.Tensor]]:
    """Builds a left-padded batch: row i has `frames[i]` images and a question of its own length."""

    def build(frames: tuple[int, ...] = (2, 1, 3), processor: Any = tiny.processor) -> dict[str, torch.Tensor]:
        random = np.random.default_rng(3)
        texts, images = [], []
        for row, count in enumerate(frames):
            parts: list[dict[str, Any]] = []
            for index in range(count):
                images.append(Image.fromarray(random.integers(0, 256, (96, 96, 3), dtype=np.uint8)))
                parts += [{"type": "text", "text": f"{index / 3:.2f} s: "}, {"type": "image"}]
            parts.append({"type": "text", "text": "Which emotion does the face show?" * (row + 1)})
            messages = [{"role": "user", "content": parts}]
            texts.append(processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        return dict(processor(text=texts, images=images, padding=True, return_tensors="pt"))

    return build
