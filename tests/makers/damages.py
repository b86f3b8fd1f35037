"""Ways in which a file comes to harm: each makes other bytes of its bytes, by a seed; None stands for a file that is
gone."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable

Harm = Callable[[bytes, random.Random, bytes], "bytes | None"]


def _flipped(content: bytes, chance: random.Random, other: bytes) -> bytes:
    if not content:
        return b"\x01"
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def _zeroed(content: bytes, chance: random.Random, other: bytes) -> bytes:
    at, size = chance.randrange(max(len(content), 1)), max(1, len(content) // 10)
    return content[:at] + bytes(min(size, len(content) - at)) + content[at + size :]


def _other_number(content: bytes, chance: random.Random, other: bytes) -> bytes:
    found = list(re.finditer(rb"\d+", content))
    if not found:
        return content + b" "
    one = chance.choice(found)
    return content[: one.start()] + str(int(one[0]) + 1).encode() + content[one.end() :]


def _other_key(content: bytes, chance: random.Random, other: bytes) -> bytes:
    found = list(re.finditer(rb'"(\w+)":', content))
    if not found:
        return content + b" "
    one = chance.choice(found)
    return content[: one.start(1)] + b"x" + content[one.start(1) :]


ANY: dict[str, Harm] = {
    "empty": lambda content, chance, other: b"",
    "cut in half": lambda content, chance, other: content[: len(content) // 2],
    "last byte missing": lambda content, chance, other: content[:-1],
    "a bit flipped": _flipped,
    "a tenth zeroed": _zeroed,
    "longer": lambda content, chance, other: content + b"\n\n",
    "text instead": lambda content, chance, other: b"this is not what was here\n",
    "another's content": lambda content, chance, other: other,
    "gone": lambda content, chance, other: None,
}
"""For files of every kind."""

OF_JSON: dict[str, Harm] = {
    "{}": lambda content, chance, other: b"{}",
    "[]": lambda content, chance, other: b"[]",
    "null": lambda content, chance, other: b"null",
    "a number": lambda content, chance, other: b"7",
    "deep": lambda content, chance, other: b"[" * 100_000,
    "not UTF-8": lambda content, chance, other: json.dumps({"k": "ä"}, ensure_ascii=False).encode("latin-1"),
    "another number": _other_number,
    "another key": _other_key,
}
"""For files of JSON, beside the others."""
