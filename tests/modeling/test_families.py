"""Every model family goes the whole way: score, train a step, save, load with plain PEFT, evaluate."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from family_chats import WORDS, Chat, chats, encoded, picture
from family_checkpoints import MADE
from torch import Tensor, nn

from emotrain.atomic_files import write_json, write_table
from emotrain.balance.losses import LossSettings, build_loss
from emotrain.emotions import LABEL_SETS
from emotrain.modeling.families import FAMILIES, family
from emotrain.modeling.image_features import image_features, with_features
from emotrain.modeling.label_scoring import label_logits
from emotrain.modeling.label_tokens import AnswerFrame, LabelTokens, answer_frame, processor_labels
from emotrain.modeling.loading import load_model, load_processor
from emotrain.modeling.lora import language_model_linears, lora_config
from emotrain.modeling.prompt_embeddings import prompt_embeddings
from emotrain.records import CLIPS, FRAMES, Clip, Frame, Split, to_table
from emotrain.stages.parts import part_path

torch.set_num_threads(1)
LABELS = LABEL_SETS["dfew"].labels

families = pytest.mark.parametrize("name", list(FAMILIES))


def loaded(checkpoints: Path, name: str) -> tuple[Any, Any]:
    folder = str(checkpoints / name)
    return load_model(folder, "float32"), load_processor(folder, image_size=MADE[name].side)


def separate_passes(model: nn.Module, processor: Any, chat: Chat, labels: LabelTokens) -> Tensor:
    """The reference: one prompt without padding, one pass a label, the model making its own masks and positions."""
    batch = encoded(processor, [chat])
    length, scores = batch["input_ids"].shape[1], []
    for tokens in labels.tokens:
        answer = torch.tensor([tokens])
        more = {"input_ids": answer, "attention_mask": torch.ones_like(answer)}
        longer = {
            key: torch.cat([value, more.get(key, torch.zeros_like(answer))], dim=1)
            if key in (*more, "mm_token_type_ids", "token_type_ids")
            else value
            for key, value in batch.items()
        }
        read = model(**longer).logits[0, length - 1 : -1].float().log_softmax(-1)
        scores.append(read.gather(1, answer.T).sum())
    return torch.stack(scores)


@families
def test_label_scores_equal_separate_passes_packed_and_cached(checkpoints: Path, name: str) -> None:
    model, processor = loaded(checkpoints, name)
    labels = processor_labels(processor, (*LABELS, "anger and fear"))
    some = chats()
    batch = encoded(processor, some)
    assert not batch["attention_mask"][:, 0].all(), "the test is about padding on the left"
    with torch.no_grad():
        expected = torch.stack([separate_passes(model, processor, chat, labels) for chat in some])
        others = label_logits(model, encoded(processor, chats(first=500)), labels)
        for attention in ("auto", "packed", "cached"):
            actual = label_logits(model, batch, labels, attention)  # type: ignore[arg-type]
            assert (actual - expected).abs().max() < 1e-4, attention
        model.set_attn_implementation("eager")
        assert (label_logits(model, batch, labels, "packed") - expected).abs().max() < 1e-4
    assert (others - expected).abs().max() > 1e-2, "the scores depend on the pictures"


@families
def test_features_computed_beforehand_stand_for_the_pixels(checkpoints: Path, name: str) -> None:
    model, processor = loaded(checkpoints, name)
    labels = processor_labels(processor, LABELS)
    some = chats()
    batch = encoded(processor, some)
    features = [image_features(model, encoded(processor, [chat])) for chat in some]
    with torch.no_grad():
        expected = label_logits(model, batch, labels)
        model.model.get_image_features = None  # nothing is left that could look
        for attention in ("auto", "packed", "cached"):
            actual = label_logits(model, with_features(batch, features), labels, attention)  # type: ignore[arg-type]
            assert (actual - expected).abs().max() < 1e-5, attention
        turned = label_logits(model, with_features(batch, features[::-1]), labels)
    assert (turned - expected).abs().max() > 1e-2, "each image has features of its own"


@families
def test_prompt_embeddings_are_what_the_head_reads_at_the_end_of_each_prompt(checkpoints: Path, name: str) -> None:
    model, processor = loaded(checkpoints, name)
    some = chats()
    with torch.no_grad():
        expected = torch.cat([model(**encoded(processor, [chat])).logits[:, -1] for chat in some])
        embeddings = prompt_embeddings(model, encoded(processor, some))
        assert embeddings.shape == (3, model.config.get_text_config().hidden_size)
        torch.testing.assert_close(model.get_output_embeddings()(embeddings), expected, atol=1e-4, rtol=0)


@families
def test_prompts_without_pictures_are_scored_the_same_way(checkpoints: Path, name: str) -> None:
    model, processor = loaded(checkpoints, name)
    labels = processor_labels(processor, LABELS)
    some = []
    for messages, _ in chats((1, 3)):
        words = [part for part in messages[0]["content"] if part["type"] == "text"]
        some.append(([{"role": "user", "content": words}], []))
    with torch.no_grad():
        expected = torch.stack([separate_passes(model, processor, chat, labels) for chat in some])
        assert (label_logits(model, encoded(processor, some), labels) - expected).abs().max() < 1e-4


@families
def test_adapters_and_gradients_are_the_language_models_alone(checkpoints: Path, name: str) -> None:
    from peft import get_peft_model

    model, processor = loaded(checkpoints, name)
    pattern = re.compile(language_model_linears(model))
    names = {module for module, kind in model.named_modules() if isinstance(kind, nn.Linear)}
    vision = {module for module in names if module.startswith(MADE[name].vision)}
    adapted = {module for module in names if pattern.fullmatch(module)}
    assert len(adapted) == 2 * 7, "seven linear layers in each of two blocks"
    assert vision
    assert names == vision | adapted | {"lm_head"}
    assert not any(p.requires_grad for key, p in model.named_parameters() if key.startswith(MADE[name].vision))
    adapter = get_peft_model(model, lora_config(model, r=2))
    labels = processor_labels(processor, LABELS)
    terms = build_loss(LossSettings(), dict.fromkeys(LABELS, 1))(
        label_logits(adapter, encoded(processor, chats((1, 2))), labels), torch.tensor([0, 3]), 0.0
    )
    terms.per_sample.mean().backward()
    with_gradient = {key for key, parameter in adapter.named_parameters() if parameter.grad is not None}
    assert len(with_gradient) == 2 * len(adapted)
    assert all("lora_" in key and f".{FAMILIES[name].language_model}." in key for key in with_gradient)


@families
def test_image_size_sets_the_visual_tokens_of_a_frame_or_says_what_would(checkpoints: Path, name: str) -> None:
    made = MADE[name]
    model, processor = loaded(checkpoints, name)
    for width in (64, 48):
        pictures = [picture(k, width) for k in range(3)]
        batch = encoded(processor, [(chats((3,))[0][0], pictures)])
        if width == 64:
            assert (batch["input_ids"] == model.config.image_token_id).sum() == 3 * made.frame_tokens
        model(**batch)  # raises where placeholders and features are not equally many
    with pytest.raises(ValueError, match=r"image_size: \d+"):
        load_processor(str(checkpoints / name), image_size=made.wrong_side)


@families
def test_keyframes_and_summaries_keep_their_order_in_the_prompt(checkpoints: Path, name: str) -> None:
    _, processor = loaded(checkpoints, name)
    (chat,) = chats((2,))
    ids = encoded(processor, [chat])["input_ids"][0]
    text = processor.tokenizer.decode(ids)
    told = [text.index(words) for words in (WORDS[0], "[0.25 s]", WORDS[1], "[0.75 s]", "Which emotion")]
    assert told == sorted(told)
    image = processor.tokenizer.decode([load_model(str(checkpoints / name)).config.image_token_id])
    assert image in text[told[1] : told[2]]
    assert image in text[told[3] : told[4]]
    bos = processor.tokenizer.bos_token_id
    assert bos is None or (ids == bos).sum() <= 1, "a sequence begins once"


@families
def test_trains_saves_reloads_with_plain_peft_and_evaluates(checkpoints: Path, name: str, tmp_path: Path) -> None:
    from peft import PeftModel
    from safetensors.torch import load_file
    from transformers import AutoModelForImageTextToText

    from emotrain.evaluation.evaluate import evaluate
    from emotrain.examples.manifests import ensure_manifest
    from emotrain.recipe.recipe import load_recipe
    from emotrain.training.train import build_trainer, train

    recipe = load_recipe(write_run(tmp_path, checkpoints / name, MADE[name].side))
    ensure_manifest(recipe)
    output = train(recipe)
    history = yaml.safe_load((output / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    assert all(np.isfinite(entry["loss"]) for entry in history if "loss" in entry)
    weights = load_file(output / "adapter_model.safetensors")
    assert all(f"base_model.model.{FAMILIES[name].language_model}." in key for key in weights)
    assert all(value.abs().max() > 0 for key, value in weights.items() if "lora_B" in key), "every layer has learned"
    metrics = evaluate(recipe, tmp_path / "scores", str(output))
    rows = pq.read_table(tmp_path / "scores" / "predictions.parquet").to_pylist()
    assert metrics["clips"] == len(rows) == 4
    plain = AutoModelForImageTextToText.from_pretrained(checkpoints / name, dtype=torch.float32)
    plain = PeftModel.from_pretrained(plain, str(output)).eval()
    collator = build_trainer(recipe, ensure_read(recipe)).data_collator
    with torch.no_grad():
        again = label_logits(
            plain,
            collator.inputs([row["clip_id"] for row in rows]),
            processor_labels(collator.processor, LABELS),
        )
    np.testing.assert_allclose(again.numpy(), [row["logits"] for row in rows], atol=1e-4)


def test_white_space_that_a_template_puts_before_answers_is_no_part_of_them(checkpoints: Path) -> None:
    """LLaVA-OneVision's own template opens an answer with "assistant\\n" and renders one as "assistant \\nanger"."""
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(checkpoints / "llava_onevision")
    assert answer_frame(processor) == AnswerFrame("", "<|im_end|>")
    _, smolvlm = loaded(checkpoints, "smolvlm")
    assert answer_frame(smolvlm) == AnswerFrame(" ", "<end_of_utterance>")


def test_an_unknown_architecture_names_the_page_that_says_how_to_add_one() -> None:
    with pytest.raises(ValueError, match=r"'qwen2_vll'.*did you mean 'qwen2_vl'\?.*docs/adding-a-model\.md"):
        family("qwen2_vll")


def test_a_back_end_without_4d_masks_takes_the_cache(checkpoints: Path) -> None:
    """As flash-attention does, this one is handed the padding mask alone and is causal by itself."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import flash_attention_mask

    handed: list[int] = []

    def attend(
        module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **settings: Any
    ) -> tuple[Tensor, None]:
        queries, keys = query.shape[2], key.shape[2]
        seen = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)
        itself = seen.triu(keys - queries)
        if attention_mask is not None:
            handed.append(attention_mask.dim())
            seen = seen & attention_mask.bool()[:, None, None, :] | itself
        groups = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
        read = nn.functional.scaled_dot_product_attention(query, key, value, seen, scale=settings["scaling"])
        return read.transpose(1, 2).contiguous(), None

    AttentionInterface.register("padding_mask_only", attend)
    AttentionMaskInterface.register("padding_mask_only", flash_attention_mask)
    model, processor = loaded(checkpoints, "qwen2_vl")
    labels, batch = processor_labels(processor, LABELS), encoded(processor, chats())
    with torch.no_grad():
        expected = label_logits(model, batch, labels)
        model.set_attn_implementation({"text_config": "padding_mask_only"})
        actual = label_logits(model, batch, labels)
    assert set(handed) == {2}
    assert (actual - expected).abs().max() < 1e-4


def test_windowed_layers_refuse_the_cache_under_padding_on_the_right(checkpoints: Path) -> None:
    model, processor = loaded(checkpoints, "gemma3")
    labels, batch = processor_labels(processor, LABELS), encoded(processor, chats((1, 2)))
    turned = {key: value.clone() for key, value in batch.items()}
    pad = int((batch["attention_mask"][0] == 0).sum())
    for key in ("input_ids", "attention_mask", "token_type_ids"):
        turned[key][0] = batch[key][0].roll(-pad)
    with torch.no_grad():
        packed = label_logits(model, turned, labels, "packed")
        assert (packed - label_logits(model, batch, labels)).abs().max() < 1e-4
        with pytest.raises(ValueError, match="pad on the left"):
            label_logits(model, turned, labels, "cached")


def ensure_read(recipe: Any) -> Any:
    from emotrain.balance.manifest import read_manifest
    from emotrain.examples.manifests import manifest_path

    return read_manifest(manifest_path(recipe))


def write_run(folder: Path, base: Path, side: int) -> Path:
    """Sixteen prepared clips of one, two or three keyframes, and a recipe of two steps on them."""
    data = folder / "data"
    splits: tuple[Split, ...] = ("train", "train", "validation", "test")
    clips = [Clip(f"clip{i:02d}", f"{i}.mp4", LABELS[i % 5], split=splits[i % 4], duration_s=1.0) for i in range(16)]
    metadata = {"root": str(folder), "label_set": "dfew", "dataset": "csv"}
    write_table(to_table(clips, Clip, metadata).cast(CLIPS.with_metadata(metadata)), data / "clips.parquet")
    (data / "frames").mkdir(parents=True)
    with pq.ParquetWriter(part_path(data / "frames", 0, 1), FRAMES) as writer:
        for number, clip in enumerate(clips):
            frames = [
                Frame(clip.clip_id, k, 0.25 + k / 2, "keyframe", None, _jpeg(10 * number + k))
                for k in range(1 + number % 3)
            ]
            writer.write_table(to_table(frames, Frame).cast(FRAMES))
    settings = {"policy": "segment_centres", "keyframes": 2, "size": 224, "decoder": "auto"}
    write_json({"settings": settings}, data / "frames" / "frames.json")
    recipe = {
        "model_name_or_path": str(base),
        "dtype": "float32",
        "data": str(data),
        "label_set": "dfew",
        "context": "none",
        "keyframes": 2,
        "image_size": side,
        "sampling": "natural",
        "epochs": 1,
        "epoch_size": 8,
        "lora_r": 4,
        "learning_rate": 1e-3,
        "per_device_train_batch_size": 4,
        "logging_steps": 1,
        "disable_tqdm": True,
        "save_strategy": "no",
        "gradient_checkpointing": True,
        "use_cpu": True,
        "resamples": 20,
        "output_dir": str(folder / "run"),
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return folder / "recipe.yaml"


def _jpeg(seed: int) -> bytes:
    return bytes(cv2.imencode(".jpg", np.asarray(picture(seed)))[1])
