"""A tiny random checkpoint of every model family, processor included, written to disk as its authors' own are.

Tokenizers are trained here, of the family's own class and with its special tokens; chat templates render what those
of the published checkpoints render, for the parts that prompts of this project have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

TEXTS = [
    "Which emotion does the person show? Options: happiness, sadness, neutral, anger, surprise, disgust, fear.",
    "[0.25 s] 0.25-0.75 s: inner brows rise (brief, peak 0.53 s). no visible change system user assistant model User",
    "".join(chr(code) for code in range(33, 127)),
]
TEXT = {
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}
SIGLIP = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}

_PART = "{%- for part in message['content'] -%}"
_OR_TEXT = "{%- else -%}{{- part['text'] -}}{%- endif -%}"
_CHATML = (
    "{%- for message in messages -%}{{- '<|im_start|>' + message['role'] + '\\n' -}}"
    f"{_PART}{{%- if part['type'] == 'image' -%}}{{{{- IMAGE -}}}}{_OR_TEXT}"
    "{%- endfor -%}{{- '<|im_end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
_IMAGES_FIRST = (
    "{%- for message in messages -%}{{- '<|im_start|>' + message['role'] + ' ' -}}"
    f"{_PART}{{%- if part['type'] == 'image' -%}}{{{{- '<image>' -}}}}{{%- endif -%}}{{%- endfor -%}}"
    f"{_PART}{{%- if part['type'] == 'text' -%}}{{{{- '\\n' + part['text'] -}}}}{{%- endif -%}}{{%- endfor -%}}"
    "{{- '<|im_end|>' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
_SMOLVLM = (
    "{{- '<|im_start|>' -}}{%- for message in messages -%}{{- message['role'] | capitalize -}}"
    "{{- ':' if message['content'][0]['type'] == 'image' else ': ' -}}"
    f"{_PART}{{%- if part['type'] == 'image' -%}}{{{{- '<image>' -}}}}{_OR_TEXT}"
    "{%- endfor -%}{{- '<end_of_utterance>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- 'Assistant:' -}}{%- endif -%}"
)
_GEMMA = (
    "{{- bos_token -}}{%- for message in messages -%}"
    "{{- '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\\n' -}}"
    f"{_PART}{{%- if part['type'] == 'image' -%}}{{{{- '<start_of_image>' -}}}}"
    "{%- else -%}{{- part['text'] | trim -}}{%- endif -%}{%- endfor -%}{{- '<end_of_turn>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<start_of_turn>model\\n' -}}{%- endif -%}"
)


@dataclass(frozen=True)
class Made:
    """How a test makes one family: `build()` gives (model, processor).

    A frame of `side` pixels is `frame_tokens` visual tokens; `wrong_side` cannot be read; `vision` names the modules of
    the vision tower and the projector.
    """

    build: Callable[[], tuple[Any, Any]]
    side: int
    frame_tokens: int
    wrong_side: int
    vision: tuple[str, ...]


def save(made: Made, folder: Path) -> None:
    """Build a family's checkpoint with fixed random weights and save it in `folder`."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, processor = made.build()
        for name, parameter in model.named_parameters():
            # Projections that start at nought, and spreads of 0.02, would hide what depends on the pixels.
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.2 if "embed" in name or "projection" in name else 0.1)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _tokenizer(kind: Any, specials: list[str], named: dict[str, str], template: str, end: str) -> Any:
    tokenizer = kind().train_new_from_iterator(TEXTS, vocab_size=700, new_special_tokens=specials, show_progress=False)
    tokenizer.add_special_tokens({"extra_special_tokens": specials})
    tokenizer._set_model_specific_special_tokens(named)
    tokenizer.init_kwargs.update(named)
    tokenizer.eos_token = end
    if tokenizer.pad_token is None:
        tokenizer.pad_token = "<|endoftext|>"
    tokenizer.chat_template = template
    return tokenizer


def _chatml(image: str, *more: str, named: dict[str, str] | None = None, template: str = _CHATML) -> Any:
    from transformers import Qwen2Tokenizer

    specials = ["<|im_start|>", "<|im_end|>", *more]
    return _tokenizer(Qwen2Tokenizer, specials, named or {}, template.replace("IMAGE", repr(image)), "<|im_end|>")


def _ids(tokenizer: Any, **names: str) -> dict[str, int]:
    return {key: tokenizer.convert_tokens_to_ids(token) for key, token in names.items()}


_QWEN_TOKENS = {
    "image_token_id": "<|image_pad|>",
    "video_token_id": "<|video_pad|>",
    "vision_start_token_id": "<|vision_start|>",
    "vision_end_token_id": "<|vision_end|>",
}


def _qwen(kind: str, vision: dict[str, Any], text: dict[str, Any], patch: int) -> tuple[Any, Any]:
    import transformers

    tokenizer = _chatml("<|vision_start|><|image_pad|><|vision_end|>", *_QWEN_TOKENS.values())
    config = getattr(transformers, f"{kind}Config")(
        vision_config={"depth": 2, "num_heads": 2, "patch_size": patch, "spatial_merge_size": 2, **vision},
        text_config={**TEXT, "vocab_size": len(tokenizer), **text},
        **_ids(tokenizer, **_QWEN_TOKENS),
    )
    size = {"shortest_edge": 56**2, "longest_edge": 112**2}
    video = transformers.Qwen3VLVideoProcessor if kind == "Qwen3VL" else transformers.Qwen2VLVideoProcessor
    processor = getattr(transformers, f"{kind}Processor")(
        image_processor=transformers.Qwen2VLImageProcessor(size=size, patch_size=patch),
        tokenizer=tokenizer,
        video_processor=video(size=size, patch_size=patch),
        chat_template=tokenizer.chat_template,
    )
    return getattr(transformers, f"{kind}ForConditionalGeneration")(config), processor


_ROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 2, 2]}


def qwen2_vl() -> tuple[Any, Any]:
    vision = {"embed_dim": 32, "hidden_size": 48, "mlp_ratio": 2}
    return _qwen("Qwen2VL", vision, {"rope_parameters": _ROPE}, 14)


def qwen2_5_vl() -> tuple[Any, Any]:
    vision = {"hidden_size": 32, "intermediate_size": 48, "out_hidden_size": 48, "window_size": 56}
    vision["fullatt_block_indexes"] = [1]
    return _qwen("Qwen2_5_VL", vision, {"rope_parameters": _ROPE}, 14)


def qwen3_vl() -> tuple[Any, Any]:
    vision = {"hidden_size": 32, "intermediate_size": 48, "out_hidden_size": 48, "num_position_embeddings": 64}
    vision["deepstack_visual_indexes"] = [0, 1]
    text = {"head_dim": 12, "rope_parameters": {**_ROPE, "mrope_interleaved": True}}
    return _qwen("Qwen3VL", vision, text, 16)


def internvl() -> tuple[Any, Any]:
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
        InternVLVideoProcessor,
    )

    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = _chatml("<IMG_CONTEXT>\n", *named.values(), named=named)
    size = {"height": 56, "width": 56}
    config = InternVLConfig(
        vision_config={**SIGLIP, "image_size": [56, 56], "patch_size": [14, 14]},
        text_config={**TEXT, "model_type": "qwen2", "vocab_size": len(tokenizer)},
        image_seq_length=4,
        **_ids(tokenizer, image_token_id="<IMG_CONTEXT>"),
    )
    processor = InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=size, max_patches=4),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(size=size),
        image_seq_length=4,
        chat_template=tokenizer.chat_template,
    )
    return InternVLForConditionalGeneration(config), processor


def smolvlm() -> tuple[Any, Any]:
    from transformers import (
        GPT2Tokenizer,
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    specials = ["<|im_start|>", "<end_of_utterance>", "<image>", "<fake_token_around_image>", "<global-img>", "<video>"]
    specials += [f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)]
    tokenizer = _tokenizer(GPT2Tokenizer, specials, {}, _SMOLVLM, "<end_of_utterance>")
    config = SmolVLMConfig(
        vision_config={**SIGLIP, "image_size": 64, "patch_size": 8},
        text_config={**TEXT, "model_type": "llama", "vocab_size": len(tokenizer), "pad_token_id": 0},
        scale_factor=2,
        **_ids(tokenizer, image_token_id="<image>"),
    )
    edges = {"size": {"longest_edge": 128}, "max_image_size": {"longest_edge": 64}}
    processor = SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(**edges),
        tokenizer=tokenizer,
        video_processor=SmolVLMVideoProcessor(**edges),
        image_seq_len=16,
        chat_template=tokenizer.chat_template,
    )
    return SmolVLMForConditionalGeneration(config), processor


def llava_onevision() -> tuple[Any, Any]:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        LlavaOnevisionImageProcessor,
        LlavaOnevisionProcessor,
        LlavaOnevisionVideoProcessor,
    )

    tokenizer = _chatml("<image>", "<image>", "<video>", template=_IMAGES_FIRST)
    size, grid = {"height": 28, "width": 28}, [[28, 28], [28, 56], [56, 28], [56, 56]]
    config = LlavaOnevisionConfig(
        vision_config={**SIGLIP, "model_type": "siglip_vision_model", "image_size": 28, "patch_size": 14},
        text_config={**TEXT, "model_type": "qwen2", "vocab_size": len(tokenizer)},
        image_grid_pinpoints=grid,
        **_ids(tokenizer, image_token_index="<image>", video_token_index="<video>"),
    )
    processor = LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=grid),
        tokenizer=tokenizer,
        video_processor=LlavaOnevisionVideoProcessor(size=size),
        num_image_tokens=4,
        vision_feature_select_strategy="full",
        chat_template=tokenizer.chat_template,
    )
    return LlavaOnevisionForConditionalGeneration(config), processor


def gemma3() -> tuple[Any, Any]:
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3ImageProcessor,
        Gemma3Processor,
        GemmaTokenizer,
    )

    named = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    specials = ["<start_of_turn>", "<end_of_turn>", *named.values()]
    tokenizer = _tokenizer(GemmaTokenizer, specials, named, _GEMMA, "<eos>")
    config = Gemma3Config(
        vision_config={**SIGLIP, "model_type": "siglip_vision_model", "image_size": 56, "patch_size": 14},
        text_config={
            **TEXT,
            "vocab_size": len(tokenizer),
            "head_dim": 12,
            "query_pre_attn_scalar": 12,
            "sliding_window": 24,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        mm_tokens_per_image=4,
        **_ids(tokenizer, image_token_index="<image_soft_token>", boi_token_index="<start_of_image>"),
        **_ids(tokenizer, eoi_token_index="<end_of_image>"),
    )
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessor(size={"height": 56, "width": 56}),
        tokenizer=tokenizer,
        image_seq_length=4,
        chat_template=tokenizer.chat_template,
    )
    return Gemma3ForConditionalGeneration(config), processor


_TOWER = ("model.vision_tower", "model.multi_modal_projector")

MADE: dict[str, Made] = {
    "qwen2_vl": Made(qwen2_vl, 56, 4, 20, ("model.visual",)),
    "qwen2_5_vl": Made(qwen2_5_vl, 56, 4, 20, ("model.visual",)),
    "qwen3_vl": Made(qwen3_vl, 64, 4, 20, ("model.visual",)),
    "internvl": Made(internvl, 28, 1, 40, _TOWER),
    "smolvlm": Made(smolvlm, 32, 4, 40, ("model.vision_model", "model.connector")),
    "llava_onevision": Made(llava_onevision, 28, 5, 56, _TOWER),
    "gemma3": Made(gemma3, 56, 4, 28, _TOWER),
}
