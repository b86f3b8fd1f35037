"""Objects in a reply: JSON, and what models write in its place.

Python dictionaries, keys without quotes, raw line breaks, curly quotes and replies that were cut off are read pair by
pair, without evaluating anything.
"""

from __future__ import annotations

import json
import re
from typing import Any

_OPENING = re.compile(r'\{|\[(?![^\[\]{}"]*\])')
"""Where JSON begins. A remark such as [1], [0.85] or [smiles] holds no string and stays in the text."""
_QUOTES = str.maketrans("“”„", '"""')
_FORMAT = re.compile(
    r"(?:format|example|template|schema|such as|in the form(?: of)?|格式|例如|示例)\W*$", re.IGNORECASE
)
"""What stands before an object that the reply only quotes from its instructions."""
_PAIR = re.compile(
    r"""(?:^|[{,\n])\s*(?P<q>["']?)(?P<key>[^\W\d][\w \-]{0,40}?)(?P=q)\s*:\s*
    (?:(?P<v>["'])(?P<text>.*?)(?:(?P=v)(?=\s*(?:[,}\]\n]|//|$))|$)
      |\[(?P<list>[^\[\]]*)(?:\]|$)
      |(?P<bare>[^"'\[{,}\n]+?)(?=\s*(?:[,}\n]|//|$)))""",
    re.VERBOSE | re.DOTALL,
)


def objects(text: str) -> list[Any]:
    """The JSON values in a text, in order; for what only resembles JSON one mapping of its pairs; else nothing."""
    text = text.translate(_QUOTES)
    try:
        return _strict(text)
    except (ValueError, RecursionError):
        # Not JSON, an integer of thousands of digits, or brackets a thousand deep.
        return _loose(text)


def _strict(text: str) -> list[Any]:
    decoder, values = json.JSONDecoder(strict=False), []
    start = _OPENING.search(text)
    while start is not None:
        value, end = decoder.raw_decode(text, start.start())
        if _FORMAT.search(text[max(0, start.start() - 30) : start.start()]) is None:
            values.append(value)
        start = _OPENING.search(text, end)
    return values


def _loose(text: str) -> list[Any]:
    start = text.find("{")
    if start < 0 or _FORMAT.search(text[max(0, start - 30) : start]) is not None:
        return []
    pairs: dict[str, Any] = {}
    for found in _PAIR.finditer(text, start):
        value = found["text"] if found["v"] is not None else found["bare"]
        if found["list"] is not None:
            value = [item.strip(" \n\"'") for item in found["list"].split(",")]
        pairs.setdefault(found["key"].strip(), _number(value))
    # Cut off in the middle: what it began to list has to agree with its answer.
    lists = [value for value in pairs.values() if isinstance(value, list)]
    return [pairs, *(lists if text.count("{") > text.count("}") else [])] if pairs else []


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return None if value in ("None", "null") else value
