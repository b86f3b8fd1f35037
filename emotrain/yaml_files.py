"""YAML files that people write: UTF-8, `key: value` lines, no key twice; every fault is said with file and line."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml


def read_mapping(path: Path, fault: type[ValueError] = ValueError) -> dict[Any, Any]:
    """The keys and values of a YAML file, none for an empty one.

    Raises `fault` for a file that is not UTF-8, not YAML or no mapping, and for keys that stand twice in one mapping:
    YAML itself keeps the last and drops the others unsaid.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise fault(
            f"{path}: not UTF-8 text (byte {content[error.start]:#04x} on line {line}); save it as UTF-8, with "
            "`iconv -f GB18030 -t UTF-8` where it is in a Chinese encoding"
        ) from error
    try:
        loader = _Loader(text)
        values = loader.get_single_data()
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2024-13-45
        raise fault(f"{path}: not valid YAML: {error}") from error
    if loader.repeated:
        raise fault(f"{path}: {len(loader.repeated)} repeated key(s)\n" + "\n".join(loader.repeated))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise fault(f"{path}: expected `key: value` lines, found a {type(values).__name__}")
    return values


class _Loader(yaml.SafeLoader):
    """The safe loader, noting keys that are given again; merge keys (`<<`) may be, for nothing of theirs is lost."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[str] = []

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], list[int]] = defaultdict(list)
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                lines[key.tag, key.value].append(key.start_mark.line + 1)
        for (_, name), found in lines.items():
            if len(found) > 1:
                said = f"{', '.join(map(str, found[:-1]))} and {found[-1]}"
                self.repeated.append(f"  - {name!r} stands on lines {said}; remove all but one")
        return node
