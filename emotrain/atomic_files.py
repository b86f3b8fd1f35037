"""Files that appear whole or not at all: written under another name beside their place, then renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write to the yielded temporary path; on success it becomes `path` in one step, on failure nothing is left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a parquet file atomically."""
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", row_group_size=4096)


def write_text(text: str, path: Path) -> None:
    """Write a text file atomically, as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(value: Any, path: Path) -> None:
    """Write a JSON file atomically, keys in the order given."""
    write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", path)
