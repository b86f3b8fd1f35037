"""The base that ships with the package loads offline, sees, answers in form and knows no emotions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from emotrain.modeling.loading import load_model, load_processor
from emotrain.modeling.tiny import VisionLanguageModel
from emotrain.modeling.tiny_architecture import TOKENS_PER_FRAME
from emotrain.modeling.tiny_base_path import tiny_base_path
from emotrain.modeling.tiny_card import LIMIT_BYTES
from emotrain.modeling.tiny_exam import answer_figures
from emotrain.modeling.tiny_lessons import Lesson, draw_lesson
from emotrain.modeling.tiny_stills import Stills, render_stills


@pytest.fixture(scope="module")
def base() -> VisionLanguageModel:
    return VisionLanguageModel(load_model("tiny", "float32"), load_processor("tiny"))


@pytest.fixture(scope="module")
def strangers(base: VisionLanguageModel) -> Stills:
    """Frames of people that neither the training nor the exam of the base drew."""
    return render_stills(4321, 6, base.processor.image_processor, first=5_000_000, workers=1)


def test_it_is_small_and_complete() -> None:
    folder = tiny_base_path()
    assert (folder / "model.safetensors").stat().st_size <= LIMIT_BYTES
    files = {file.name for file in folder.iterdir()}
    assert files >= {"config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "README.md"}


def test_frames_become_nine_tokens(base: VisionLanguageModel) -> None:
    from PIL import Image

    image = Image.fromarray(np.zeros((128, 128, 3), np.uint8))
    messages = [{"role": "user", "content": [{"type": "image"}]}]
    text = base.processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids = base.processor(text=[text], images=[image], return_tensors="pt")["input_ids"]
    assert int((ids == base.processor.image_token_id).sum()) == TOKENS_PER_FRAME


def test_it_reads_faces_and_texts_and_has_no_opinion_about_emotions(
    base: VisionLanguageModel, strangers: Stills
) -> None:
    figures = answer_figures(base.model, base.processor, strangers, np.random.default_rng(0), count=96)
    assert figures["answer F1 seen"] > 2 * _chance_f1(strangers)
    assert figures["answer F1 told"] > 0.8
    assert figures["valid emotion answers"] > 0.95
    assert figures["label mass"] > 0.95
    assert figures["option entropy"] > 0.97


def _chance_f1(stills: Stills) -> float:
    """F1 of answering each question about the frames with the true answer to another one."""
    from emotrain.modeling.tiny_exam import unit_f1

    rng = np.random.default_rng(0)
    seen: list[Lesson] = [x for x in (draw_lesson(stills.units, rng) for _ in range(600)) if x.asked == "seen"]
    return unit_f1([(lesson, other.answer) for lesson, other in pairwise(seen)])
