"""What the files of a base may have transformers do: build one model of its own, and nothing beside it.

transformers reads more in a checkpoint than its weights. An `adapter_config.json` in it puts another base, or an
adapter that nobody checked, in the place of the model that was named; an `audio_tokenizer` of a processor loads a
second model by its name; an `attn_implementation` with a slash fetches compiled code. A base is chosen by an adapter
and comes from anybody, so these are looked for before transformers is let in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from emotrain.json_files import read_object

ANOTHER_MODEL = ("adapter_config.json", "audio_tokenizer_config.json")
"""Files that make another model of it; a base has none."""

READ = ("config.json", "processor_config.json", "preprocessor_config.json")
_FROM_THE_HUB = ("attn_implementation", "_attn_implementation", "experts_implementation", "_experts_implementation")
_REMEDY = "name another base with --base (in a recipe: model_name_or_path), or take the model from its publisher again"


def check_base(name: str, revision: str | None = None) -> None:
    """Raise ValueError for a folder or Hub id whose files name another model or code to load.

    A file that is not there is no fault here, nor is a Hub out of reach: whoever loads the model will say so.
    """
    found = {file: path for file in (*READ, *ANOTHER_MODEL) if (path := _file(name, file, revision)) is not None}
    for file in ANOTHER_MODEL:
        if file in found:
            raise ValueError(
                f"{name}: {file} in it would have another model loaded in its place or beside it; expected a base "
                f"model alone: {_REMEDY}. An adapter is named with --adapter"
            )
    for path in found.values():
        if (named := _named(read_object(path, _REMEDY))) is not None:
            raise ValueError(f"{path}: {named} would load code or a model from elsewhere: {_REMEDY}")


@contextmanager
def read_as_base(name: str) -> Iterator[None]:
    """Gives what transformers trips over in the files of a base the base's name and a remedy, as ValueError."""
    try:
        yield
    except (OSError, ValueError, MemoryError):
        raise
    except Exception as error:
        if "out of memory" in str(error).lower():
            raise
        said = " ".join(str(error).split())[:300]
        raise ValueError(
            f"{name}: transformers cannot load its files ({type(error).__name__}: {said}): fetch them anew, or name "
            "another base with --base (in a recipe: model_name_or_path)"
        ) from error


def _file(name: str, file: str, revision: str | None) -> Path | None:
    if Path(name).is_dir():
        return path if (path := Path(name) / file).is_file() else None
    return _of_the_hub(name, file, revision)


@cache
def _of_the_hub(name: str, file: str, revision: str | None) -> Path | None:
    """Asked once in a process: model and processor are loaded one after the other."""
    from transformers.utils import cached_file

    try:
        found = cached_file(name, file, revision=revision, _raise_exceptions_for_missing_entries=False)
    except OSError:
        return None
    return None if found is None else Path(found)


def _named(value: Any, where: str = "") -> str | None:
    """The first entry, at any depth, that names code or a model elsewhere."""
    if isinstance(value, list):
        return next((found for entry in value if (found := _named(entry, where)) is not None), None)
    if not isinstance(value, dict):
        return None
    for key, entry in value.items():
        place = f"{where}.{key}" if where else str(key)
        words = entry.values() if isinstance(entry, dict) else [entry]
        kernel = key in _FROM_THE_HUB and any(isinstance(word, str) and "/" in word for word in words)
        if kernel or (key == "audio_tokenizer" and entry) or (key == "use_pretrained_backbone" and entry):
            return f"{place} {entry!r:.80}"
        if (found := _named(entry, place)) is not None:
            return found
    return None
