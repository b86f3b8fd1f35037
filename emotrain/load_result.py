"""What a load was to do, held against what it did: libraries load what fits and leave the rest with a warning.

A model whose weights are partly fresh random numbers, or an adapter of which nothing found its place, answers like any
other, so what is missing or left over is an error here, with how many of how many and what to do.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

from emotrain.base_files import check_base, read_as_base

log = logging.getLogger(__name__)

SHOWN = 3


def loaded_whole(auto_class: Any, name: str, *, fresh: str | None = None, **given: Any) -> Any:
    """`auto_class.from_pretrained(name, ...)` if every weight of the model came from the checkpoint.

    Weights whose names begin with `fresh` (a new classifier's) may be new. Raises ValueError for a checkpoint that
    names another model or code (see base_files.py) or that transformers trips over, and one that counts the weights
    that got no value or one of another shape; what the checkpoint holds beyond the model is a warning.
    """
    check_base(name, given.get("revision"))
    with read_as_base(name):
        model, told = auto_class.from_pretrained(name, output_loading_info=True, **given)
    mismatched = {entry[0] if isinstance(entry, tuple) else entry for entry in told.get("mismatched_keys", ())}
    names = {*told.get("missing_keys", ()), *mismatched}
    lacking = sorted(one for one in names if fresh is None or not one.startswith(fresh))
    over = sorted(told.get("unexpected_keys", ()))
    if lacking:
        kept = _counted(over, len(over), "more", "are in the checkpoint and find no place")
        raise ValueError(
            f"{name}: {_counted(lacking, len(model.state_dict()), 'weights', 'got no value from the checkpoint')}{kept}"
            "it is not whole, or was saved by a version of transformers with other names; fetch it anew, or load and "
            "save it with the version in its config.json"
        )
    if over and fresh is None:
        log.warning("%s: %s the model runs without them", name, _counted(over, len(over), "weights", "find no place"))
    return model


def check_adapter(model: Any, held: Collection[str], where: str) -> None:
    """Raise ValueError unless the adapter on `model` consists of exactly the tensors that its file has (`held`)."""
    from peft import get_peft_model_state_dict

    wanted = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    over, lacking = sorted(set(held) - wanted), sorted(wanted - set(held))
    if not over and not lacking:
        return
    pair = _renamed(over, lacking)
    remedy = (
        f"all fit once {pair[0]!r} in their names reads {pair[1]!r}: the file was saved by another version of "
        "transformers (provenance.json names it); rename its tensors, or load it with that version"
        if pair is not None
        else "is the base the one it was trained on, and the file whole? provenance.json names base and versions"
    )
    raise ValueError(
        f"{where}: {_counted(over, len(held), 'tensors of the file', 'find no place in the model')}"
        f"{_counted(lacking, len(wanted), 'adapter weights of the model', 'are not in the file')}{remedy}"
    )


def check_processor(processor: Any, config: Any, name: str) -> None:
    """Raise ValueError for a processor whose tokens are not the model's: they would pick other rows, or none."""
    rows = getattr(config.get_text_config(), "vocab_size", None)
    ids = processor.tokenizer.get_vocab().values()
    if rows is not None and max(ids, default=0) >= rows:
        raise ValueError(
            f"{name}: its tokenizer has a token {max(ids)}, but the model has embeddings for {rows}; tokenizer files "
            "and config.json are of different models, fetch both anew"
        )
    for kind in ("image_token_id", "video_token_id"):
        of_model, of_processor = getattr(config, kind, None), getattr(processor, kind, None)
        # Gemma 3 calls the mark before a picture its image token; what stands for the picture is in the list.
        placed = getattr(processor, f"{kind}s", None) or [of_processor]
        if None not in (of_model, of_processor) and of_model not in placed:
            raise ValueError(
                f"{name}: {kind} is {of_model} in config.json and {of_processor} in the processor's files, so pictures "
                "would find no place in a prompt; both must be of one model, fetch them anew"
            )


def held_tensors(file: Path) -> set[str]:
    """Names in a safetensors file; raises ValueError with the file's name when it is not whole."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            return set(opened.keys())
    except SafetensorError as error:
        raise ValueError(f"{file}: not a whole safetensors file ({error}); fetch or save it again") from error


def _renamed(over: list[str], lacking: list[str]) -> tuple[str, str] | None:
    """The part of the names that differs, when writing it otherwise makes every name left over a lacking one."""
    if not over or not lacking:
        return None
    old = over[0].split(".")
    for name in lacking:
        new = name.split(".")
        head = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        tail = next((i for i, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b), 0)
        tail = max(min(tail, len(old) - head, len(new) - head), 1)
        # With one word of the common part on either side, so that the part is found in one place alone.
        first, last = max(head - 1, 0), tail - 1
        pair = tuple(".".join(words[first : len(words) - last]) for words in (old, new))
        if {part.replace(pair[0], pair[1], 1) for part in over} == set(lacking):
            return pair[0], pair[1]
    return None


def _counted(names: list[str], total: int, what: str, fault: str) -> str:
    if not names:
        return ""
    more = ", ..." if len(names) > SHOWN else ""
    return f"{len(names)} of {total} {what} {fault} ({', '.join(names[:SHOWN])}{more}); "
