"""The tokenizer of the tiny base: Qwen's byte-level BPE with Qwen's special tokens, trained on the project's own words.

The corpus is a list of words, so every word of the prompts, every label and every FACS term is one token; digits are
split one by one (Qwen's pre-tokeniser does that), and any other text falls back to bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from emotrain.emotions import LABEL_SETS

SPECIAL_TOKENS = (
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
VOCABULARY_LIMIT = 2048

CHAT_TEMPLATE = """\
{%- for message in messages -%}
{%- if loop.first and message['role'] != 'system' -%}
{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}
{%- endif -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
{%- elif part['type'] == 'video' -%}
{{- '<|vision_start|><|video_pad|><|vision_end|>' -}}
{%- elif part['type'] == 'text' -%}
{{- part['text'] -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""
"""Qwen2.5-VL's conversation format: a default system turn, image and video placeholders where the parts stand."""


def train_tokenizer(texts: Iterable[str], limit: int = VOCABULARY_LIMIT) -> Any:
    """A `Qwen2Tokenizer` to which every word of `texts` is one token; a pure function of the set of words.

    Raises ValueError when `limit` tokens are too few to hold all of them.
    """
    from transformers import Qwen2Tokenizer

    words = sorted({word for text in texts for word in re.findall(r"[^\W\d_]+", text)} | set(_role_words()))
    tokenizer = Qwen2Tokenizer().train_new_from_iterator(
        _spellings(words), vocab_size=limit, new_special_tokens=list(SPECIAL_TOKENS), show_progress=False
    )
    split = [word for word in words if len(tokenizer.encode(f" {word}")) > 1]
    if split:
        raise ValueError(
            f"train_tokenizer: {len(words)} words do not fit {limit} tokens; split: {split[:8]}; raise the limit"
        )
    tokenizer.eos_token = "<|im_end|>"
    tokenizer.pad_token = "<|endoftext|>"
    tokenizer.padding_side = "left"
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def label_words() -> list[str]:
    """The labels of every label set, each once."""
    return sorted({label for labels in LABEL_SETS.values() for label in labels.labels})


def _role_words() -> list[str]:
    return [*label_words(), "system", "user", "assistant", "You", "are", "a", "helpful"]


def _spellings(words: list[str]) -> Iterator[str]:
    for word in words:
        yield word
        yield f" {word}"
