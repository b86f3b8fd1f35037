"""Every reason why a folder should not be published, in one report."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import yaml

from emotrain.examples.contract_schema import contract_faults
from emotrain.examples.input_contract import CONTRACT
from emotrain.hub.base import Base, unresolved
from emotrain.hub.fit import bad_numbers, misfits
from emotrain.hub.private_words import Private, leaks
from emotrain.hub.staging import CONFUSION, PUBLISHED, recipe_values
from emotrain.modeling.adapter_config import CONFIG, config_faults
from emotrain.modeling.adapters import WEIGHTS
from emotrain.recipe.machine_values import machine_values
from emotrain.recipe.recipe import RESOLVED
from emotrain.yaml_files import parse

KNOWN_TOO = (".gitattributes",)
"""Files that the Hub itself puts into a repository."""

READ = 20_000_000  # bytes that are read of a file; a published one is a thousandth of that

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x80\x02", "a pickle"),
    (b"\x80\x04", "a pickle"),
    (b"\x80\x05", "a pickle"),
    (b"PK\x03\x04", "a zip archive or torch pickle"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "an image or a video"),
    (b"PAR1", "a parquet table"),
    (b"\x1a\x45\xdf\xa3", "a video"),
)


class AdapterFaults(ValueError):
    """An adapter must not be published as it is; the message lists every reason."""

    def __init__(self, where: str, faults: list[str]) -> None:
        self.faults = faults
        super().__init__(f"{where}: {len(faults)} fault(s)\n" + "\n".join(f"  - {fault}" for fault in faults))


def lint(folder: Path, base: Base, private: Private) -> list[str]:
    """Faults of a folder as it would be published: foreign files, private words, bad numbers, misfits, a lost base.

    Every file of the folder is read. Nothing is written.
    """
    faults: list[str] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and ".cache" not in path.parts):
        faults.extend(_file_faults(path, path.relative_to(folder).as_posix(), private))
    lacking = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
    faults.extend(f"{name}: missing" for name in lacking)
    lost = unresolved(base)
    faults.extend(lost)
    if not lacking:
        numbers = bad_numbers(folder)
        faults.extend(numbers)
        if not lost and not any("not a whole" in fault for fault in numbers):
            faults.extend(misfits(folder, base, recipe_values(folder)))
    return faults


def _file_faults(path: Path, name: str, private: Private) -> list[str]:
    if path.is_symlink() and name in KNOWN_TOO:
        return []
    found = []
    if name not in PUBLISHED + KNOWN_TOO:
        kind = _kind(path)
        found.append(f"{name}: {kind if kind is not None else 'this file'} has no place in a published adapter")
        if kind is not None:
            return found
    found.extend(f"{name}: holds {leak}" for leak in leaks(_text(path, name), private))
    for foreign, faults_of in ((CONTRACT, contract_faults), (CONFIG, config_faults)):
        if name == foreign:
            values = _values(path)
            said = faults_of(values) if isinstance(values, dict) else ["no JSON object"]
            found.extend(f"{name}: {fault}" for fault in said)
    if name == RESOLVED:
        found.extend(f"{name}: {place} is about this machine" for place in machine_values(_values(path)))
    return found


def _values(path: Path) -> Any:
    """The settings in a file of JSON or YAML, None where it is neither; what it holds is searched as a text as well."""
    try:
        return parse(path.read_text(encoding="utf-8"))  # JSON is YAML
    except (ValueError, yaml.YAMLError):
        return None


def _kind(path: Path) -> str | None:
    """What a file is by its first bytes, None for a text or something unknown."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp":
        return "a video"
    return next((what for magic, what in MAGIC if head.startswith(magic)), None)


def _text(path: Path, name: str) -> str:
    """What a file says in words: its text, the metadata of a safetensors file, the readable runs of a picture."""
    if path.suffix == ".safetensors":
        with path.open("rb") as file:
            size = file.read(8)
            length = struct.unpack("<Q", size)[0] if len(size) == 8 else 0
            header = file.read(min(length, 100_000_000))
        try:
            return json.dumps(json.loads(header).get("__metadata__", {}), ensure_ascii=False)
        except ValueError:
            return ""  # `bad_numbers` says what is wrong with the file
    with path.open("rb") as file:
        content = file.read(READ)
    if name == CONFUSION:
        # Compressed pixels are noise; a picture's words stand in the chunks before them.
        content = content.split(b"IDAT", 1)[0] + content[-64:]
    text = content.decode("utf-8", errors="replace")
    return text + _unescaped(text, path.suffix)


def _unescaped(text: str, suffix: str) -> str:
    """JSON and YAML once more without their escapes (\\u7b11, \\/), behind which a caption or a path could hide."""
    try:
        value = json.loads(text) if suffix == ".json" else parse(text) if suffix in (".yaml", ".yml") else None
    except (ValueError, yaml.YAMLError):
        return ""
    return "" if value is None else "\n" + json.dumps(value, ensure_ascii=False)
