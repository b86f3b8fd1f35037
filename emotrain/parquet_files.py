"""Parquet files: read in one place, with the checksum of every page, and every fault said with file and remedy.

Pages are written with checksums (`WRITING`), so a flipped bit is found where it is read. A file of another program, or
of a version before that, has none and is read without.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emotrain.damaged_files import DamagedFile

WRITING: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True}
"""What every file of ours is written with."""


def read_table(path: Path, remedy: str, columns: Sequence[str] | None = None) -> pa.Table:
    """The table in a file; columns of `columns` that it does not have are left out.

    Raises DamagedFile for a file that is cut, changed or no parquet; OSError where it cannot be opened.
    """
    with opened(path, remedy) as file:
        held = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
        return file.read(columns=held)


def read_schema(path: Path, remedy: str) -> pa.Schema:
    """The schema in a file's footer."""
    with opened(path, remedy) as file:
        return file.schema_arrow


@contextmanager
def opened(path: Path, remedy: str) -> Iterator[pq.ParquetFile]:
    """A parquet file for reading in pieces; what goes wrong with it inside the block is said with its name, too."""
    with named(path, remedy), open_file(path, remedy) as file:
        yield file


def open_file(path: Path, remedy: str, *, memory_map: bool = False) -> pq.ParquetFile:
    """An open parquet file, its footer read. Read from it inside `named`."""
    with named(path, remedy):
        if path.stat().st_size == 0:
            raise DamagedFile(path, "an empty file", "a parquet file", remedy)
        return pq.ParquetFile(path, memory_map=memory_map, page_checksum_verification=True)


@contextmanager
def named(path: Path, remedy: str) -> Iterator[None]:
    """Turns what pyarrow says of a damaged file into DamagedFile; the system's own errors keep their kind."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is not None:
            raise
        raise _damaged(path, error, remedy) from error  # pyarrow's word for a page that does not unpack
    except (pa.ArrowException, UnicodeDecodeError, OverflowError, MemoryError) as error:
        raise _damaged(path, error, remedy) from error


def _damaged(path: Path, error: BaseException, remedy: str) -> DamagedFile:
    said = " ".join(str(error).split())[:200] or type(error).__name__
    return DamagedFile(path, f"cannot be read ({said})", "a whole parquet file", remedy)
