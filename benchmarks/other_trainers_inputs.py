"""What LLaMA-Factory and ms-swift are given of a recipe: its clips as messages, and the loss to expect."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

IMAGE = "<image>"
"""Stands for a keyframe in the text of a message, in both frameworks."""

DATA_SET = "clips"


def write_data_set(recipe: Any, folder: Path) -> Path:
    """Every draw of the recipe's manifest in its order, one JSON object a line; returns the file.

    Keyframes are written beside it as the JPEG files that the frames stage stored. `dataset_info.json` is what
    LLaMA-Factory wants to know of the file; ms-swift reads it as it is.
    """
    from emotrain.emotions import label_set
    from emotrain.examples.examples import Examples

    examples = Examples(recipe.data, recipe.context, label_set(recipe.data.label_set).labels)
    rows = []
    for clip_id, label in draws(recipe):
        names = []
        for number, frame in enumerate(examples.keyframes(clip_id)):
            name = folder / "keyframes" / f"{clip_id}_{number}.jpg"
            name.parent.mkdir(parents=True, exist_ok=True)
            name.write_bytes(frame.image)
            names.append(str(name))
        rows.append(row(examples.messages(clip_id)[0], names, label))
    file = folder / f"{DATA_SET}.jsonl"
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in rows), encoding="utf-8")
    (folder / "dataset_info.json").write_text(json.dumps({DATA_SET: described(file.name)}), encoding="utf-8")
    return file


def row(messages: Sequence[Mapping[str, Any]], images: Sequence[str], label: str) -> dict[str, Any]:
    """One clip as both frameworks read it: the prompt, `<image>` for every keyframe, and the label as the answer."""
    (message,) = messages
    parts = message["content"]
    if any(IMAGE in part.get("text", "") for part in parts):
        raise ValueError(f"the prompt says {IMAGE!r} itself, which would be taken for a keyframe: {parts}")
    text = "".join(IMAGE if part["type"] == "image" else part["text"] for part in parts)
    turns = [{"role": message["role"], "content": text}, {"role": "assistant", "content": label}]
    return {"messages": turns, "images": list(images)}


def described(file_name: str) -> dict[str, Any]:
    """LLaMA-Factory's description of a data set of such rows."""
    return {
        "file_name": file_name,
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "images": "images"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
        },
    }


def draws(recipe: Any) -> list[tuple[str, str]]:
    """Clip id and label of every draw, in the order of the manifest."""
    from emotrain.balance.manifest import read_manifest
    from emotrain.examples.manifests import manifest_path

    return [(draw.clip_id, draw.label) for draw in read_manifest(manifest_path(recipe)).draws]


def expected_losses(recipe: Any) -> tuple[float, float]:
    """Mean cross-entropy of the answer tokens of the first batch before training, in nats.

    First of the label and the end of the turn, then of those and the line break after it, which some templates count
    as answer. A LoRA adapter changes nothing before its first step, so this is what a trainer's first loss must be.
    """
    each = list(_answer_losses(recipe))
    short = [loss for clip in each for loss in clip[:-1]]
    whole = [loss for clip in each for loss in clip]
    return sum(short) / len(short), sum(whole) / len(whole)


def _answer_losses(recipe: Any) -> Iterator[list[float]]:
    """Cross-entropy of every answer token of every clip of the first batch, from the model alone."""
    import torch

    from emotrain.emotions import label_set
    from emotrain.examples.examples import Collator, Examples
    from emotrain.training.train import load_base

    model, processor = load_base(recipe)
    collate = Collator(Examples(recipe.data, recipe.context, label_set(recipe.data.label_set).labels), processor)
    for clip_id, label in draws(recipe)[: recipe.sft.per_device_train_batch_size]:
        batch = collate.inputs([clip_id])
        answer = torch.tensor([processor.tokenizer.encode(f"{label}<|im_end|>\n", add_special_tokens=False)])
        for key, more in (
            ("input_ids", answer),
            ("attention_mask", torch.ones_like(answer)),
            ("mm_token_type_ids", torch.zeros_like(answer)),
        ):
            batch[key] = torch.cat([batch[key], more], dim=1)
        with torch.no_grad():
            logits = model(**batch, logits_to_keep=answer.shape[1] + 1, use_cache=False).logits[0, :-1]
        yield torch.nn.functional.cross_entropy(logits.float(), answer[0], reduction="none").tolist()
