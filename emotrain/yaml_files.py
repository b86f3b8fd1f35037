"""YAML files that people write: UTF-8, `key: value` lines, no key twice; every fault is said with file and line.

Some come from others (with an adapter, from the Hub): size, depth and what anchors multiply to are bounded, so that a
file of a few lines cannot keep a command busy or fill the memory.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 1 << 20
MAX_DEPTH = 40
MAX_NODES = 20_000
"""Values in a file, each anchor counted as often as it is named."""


class _Bound(yaml.YAMLError):
    """The file is larger, deeper or more multiplied than any that a person writes."""


def read_mapping(path: Path, fault: type[ValueError] = ValueError) -> dict[Any, Any]:
    """The keys and values of a YAML file, none for an empty one.

    Raises `fault` for a file that is not UTF-8, not YAML or no mapping, for keys that stand twice in one mapping (YAML
    itself keeps the last and drops the others unsaid), and for one beyond MAX_BYTES, MAX_DEPTH or MAX_NODES.
    """
    if (size := path.stat().st_size) > MAX_BYTES:
        raise fault(f"{path}: {size:,} bytes, expected at most {MAX_BYTES:,} of settings; is this the right file?")
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


def option_mapping(option: str, text: str, example: str) -> dict[str, Any]:
    """The YAML mapping that follows an option of a command line; ValueError names the option and shows an example."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{option} {text!r}: not valid YAML: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{option} {text!r}: expected '{{key: value}}', as in '{example}'")
    return found


def parse(text: str) -> Any:
    """The value of a YAML text within the same bounds; raises yaml.YAMLError, or ValueError for an impossible date."""
    return _Loader(text).get_single_data()


class _Loader(yaml.SafeLoader):
    """The safe loader, noting keys that are given again; merge keys (`<<`) may be, for nothing of theirs is lost.

    Raises _Bound past MAX_DEPTH and MAX_NODES.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[str] = []
        self._depth = 0
        self._nodes = 0
        self._size_of: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """A node with all below it; an alias counts as much as what it stands for."""
        event = self.peek_event()
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        before, self._depth = self._nodes, self._depth + 1
        if self._depth > MAX_DEPTH:
            raise _Bound(f"line {line}: more than {MAX_DEPTH} levels deep; write it flatter")
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(event, yaml.AliasEvent) and id(node) not in self._size_of:
            raise _Bound(f"line {line}: *{event.anchor} stands inside itself; write it out")
        self._nodes += self._size_of.get(id(node), 0) if isinstance(event, yaml.AliasEvent) else 1
        if self._nodes > MAX_NODES:
            raise _Bound(
                f"line {line}: more than {MAX_NODES:,} values, anchors (&, *) counted as often as "
                "they are named; write fewer"
            )
        self._size_of[id(node)] = max(self._size_of.get(id(node), 0), self._nodes - before)
        return node

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
