"""Frame embeddings are taken from the vision tower of every model family, frame by frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from family_checkpoints import MADE, save
from PIL import Image

from emotrain.context.prompt import PromptSettings, build_messages
from emotrain.evaluation.baselines.frames import visual_tokens
from emotrain.modeling.chats import encode_chats
from emotrain.modeling.loading import load_model, load_processor
from emotrain.records import Frame


@pytest.mark.parametrize("name", list(MADE))
def test_each_frame_has_its_own_tokens_whatever_stands_beside_it(name: str, tmp_path: Path) -> None:
    save(MADE[name], tmp_path)
    model, processor = load_model(str(tmp_path), "float32"), load_processor(str(tmp_path), image_size=MADE[name].side)

    def tokens(*seeds: int) -> torch.Tensor:
        frames = [Frame("a", i, float(i), "keyframe", None, b"") for i in range(len(seeds))]
        messages = build_messages(frames, (), ("fear", "anger"), PromptSettings(context="none"))
        pictures = [
            Image.fromarray(np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)) for seed in seeds
        ]
        return visual_tokens(model, encode_chats(processor, [messages], [pictures]), len(seeds))

    three, two = tokens(1, 2, 3), tokens(3, 1)
    assert three.shape[0] == 3
    assert 0 < three.shape[1] <= MADE[name].frame_tokens
    torch.testing.assert_close(three[[2, 0]], two, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(three[0], three[1])
