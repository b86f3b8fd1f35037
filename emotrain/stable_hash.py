"""A hash of a text that is equal on every machine, in every process and in every Python."""

from __future__ import annotations

from hashlib import blake2b


def stable_hash(text: str) -> int:
    """64 bits that depend on nothing but the text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
