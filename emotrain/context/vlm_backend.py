"""Gap summaries by a vision-language model on this machine: any checkpoint of AutoModelForImageTextToText.

Decoding is greedy, so equal inputs give equal words. When memory runs out the batch is halved and work goes on. With
`accelerate launch` every process takes its share of the shards (see text_stage.py); `device_map: auto` spreads one
large model over all GPUs instead. Without a GPU it works only where that is asked for, with `device: cpu`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emotrain.base_files import read_as_base
from emotrain.context.asking import OBSERVED, check_observe, cleaned, is_refusal, observe_messages
from emotrain.context.gap_request import GapRequest
from emotrain.context.journal import EMPTY, Reply
from emotrain.context.text_backend import question_digest
from emotrain.load_result import check_processor, loaded_whole
from emotrain.pictures import picture_of

VERSION = 2


@dataclass(slots=True)
class VlmBackend:
    """`model` is a folder or Hub id. `batch_size` gaps are answered together and change nothing but speed.

    `device` (None: the process's GPU) and `device_map` say where the model runs.
    """

    model: str
    revision: str = "main"
    dtype: str = "auto"
    max_new_tokens: int = 64
    batch_size: int = 8
    language: str = "en"
    observe: str = "face"
    device: str | None = None
    device_map: str | None = None
    trust_remote_code: bool = False
    name: str = "vlm"
    _loaded: tuple[Any, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_observe(self.observe)

    def settings(self) -> Mapping[str, Any]:
        """Everything that changes the words: model, precision, length, language, the text of the question."""
        return {
            "version": VERSION,
            "model": self.model,
            "revision": self.revision,
            "dtype": self.dtype,
            "max_new_tokens": self.max_new_tokens,
            "language": self.language,
            "question": question_digest(self.language, self.observe),
            **({"observe": self.observe} if self.observe in OBSERVED[1:] else {}),
        }

    def answer(self, requests: Sequence[GapRequest], keep: Callable[[Iterable[Reply]], None]) -> None:
        """Answer every request, handing over a batch of replies at a time. Longest first, so memory fails early.

        Raises ValueError without CUDA unless a device is named: a large model on a CPU takes days.
        """
        import torch

        waiting = sorted(requests, key=lambda request: (-len(request.pictures), request.key))
        size = self.batch_size
        while waiting:
            batch = waiting[:size]
            try:
                keep(self._batch(batch))
            except torch.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                size = len(batch) // 2
                torch.cuda.empty_cache()
            else:
                waiting = waiting[len(batch) :]

    def _batch(self, requests: Sequence[GapRequest]) -> list[Reply]:
        import torch

        model, processor = self._load()
        started = time.monotonic()
        chats = [observe_messages(request, self.language, inline=False, observe=self.observe) for request in requests]
        texts = [processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in chats]
        images = [[picture_of(frame.image) for frame in request.pictures] for request in requests]
        inputs = processor(text=texts, images=images, padding=True, padding_side="left", return_tensors="pt")
        inputs = inputs.to(model.device)
        with torch.inference_mode():
            made = model.generate(**inputs, do_sample=False, max_new_tokens=self.max_new_tokens)
        length = inputs["input_ids"].shape[1]
        said = processor.batch_decode(made[:, length:], skip_special_tokens=True)
        seconds = (time.monotonic() - started) / len(requests)
        read = inputs["attention_mask"].sum(1).tolist()
        # Rows that ended early are filled with the padding token.
        pad = processor.tokenizer.pad_token_id
        written = (made[:, length:] != pad).sum(1).tolist()
        return [
            Reply(
                *request.key,
                words,
                refused=is_refusal(text) or not words,
                note="" if words else EMPTY,
                tokens_in=int(tokens_in),
                tokens_out=int(tokens_out),
                seconds=seconds,
            )
            for request, text, tokens_in, tokens_out in zip(requests, said, read, written, strict=True)
            for words in [cleaned(text)]
        ]

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            import torch

            if self.device is None and self.device_map != "cpu" and not torch.cuda.is_available():
                raise ValueError(
                    f"summary back end vlm: no CUDA device for {self.model!r}, and on a CPU a clip can take minutes; "
                    "run it on a machine with a GPU, or give --device cpu (recipe: summarizer_options: {device: cpu})"
                )
            from transformers import AutoModelForImageTextToText, AutoProcessor

            shared: dict[str, Any] = {"revision": self.revision, "trust_remote_code": self.trust_remote_code}
            model = loaded_whole(
                AutoModelForImageTextToText,
                self.model,
                dtype=self.dtype,
                device_map=self.device_map,
                use_safetensors=True,
                **shared,
            ).eval()
            if self.device_map is None:
                from accelerate import PartialState

                model = model.to(PartialState().device if self.device is None else self.device)
            with read_as_base(self.model):
                processor = AutoProcessor.from_pretrained(self.model, **shared)
            check_processor(processor, model.config, self.model)
            self._loaded = model, processor
        return self._loaded
