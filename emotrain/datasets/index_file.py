"""The file `clips.parquet` itself: where it lies, what its footer says. Rows are read elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotrain.damaged_files import DamagedFile
from emotrain.digests import check_digests, list_beside
from emotrain.json_files import parse
from emotrain.parquet_files import opened

CLIPS_FILE = "clips.parquet"
NEEDED = ("clip_id", "path", "label")
REMEDY = (
    "delete it and make it again with data_prep/index_clips.py or `emotrain prep RECIPE --stage index`, or accept a "
    "change of your own with `emotrain check FOLDER --renew`"
)
_SMALL = 1 << 26
"""Bytes; the digest of a larger index costs seconds, and the checksums of its pages are compared as they are read."""


@dataclass(frozen=True, slots=True)
class IndexFile:
    """The footer of one index: its schema metadata, the names of its columns and the number of its rows."""

    path: Path
    metadata: dict[str, str]
    columns: tuple[str, ...]
    rows: int

    def stated(self, *keys: str) -> dict[str, str]:
        """The metadata; raises ValueError when one of `keys` is not in it."""
        missing = [key for key in keys if key not in self.metadata]
        if missing:
            raise ValueError(
                f"{self.path}: the schema metadata lacks {', '.join(missing)}, so this is not a clip index; "
                "make it again with data_prep/index_clips.py"
            )
        return self.metadata

    def stated_json(self, key: str, kind: type) -> Any:
        """A value of the metadata that is JSON text; raises DamagedFile unless it is of this kind."""
        where = f"{self.path} ({key} in the schema metadata)"
        value = parse(self.stated(key)[key].encode(), where, f"JSON text of a {kind.__name__}", REMEDY)
        if not isinstance(value, kind):
            raise DamagedFile(where, f"a {type(value).__name__}", f"a {kind.__name__}", REMEDY)
        return value

    @property
    def root(self) -> Path:
        """The folder that clip paths are relative to; a relative one starts at the index's own folder."""
        return self.path.parent / self.stated("root")["root"]


def open_index_file(data: Path | str) -> IndexFile:
    """Read the footer of the index of a prepared data folder (or of the parquet file itself).

    Raises FileNotFoundError that names the command which makes the file, ValueError for another parquet file.
    """
    data = Path(data)
    path = data if data.suffix == ".parquet" else data / CLIPS_FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no clip index here; make it with\n"
            f"  python data_prep/index_clips.py --dataset NAME --root DIR --out {path.parent}"
        )
    listed = list_beside(path)
    if listed.is_file():
        check_digests(listed, REMEDY, content=path.stat().st_size < _SMALL, only=[path.name])
    with opened(path, REMEDY) as parquet:
        schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
    found = schema.metadata if schema.metadata is not None else {}
    missing = [name for name in NEEDED if name not in schema.names]
    if missing:
        raise ValueError(f"{path}: no column {', '.join(missing)}; make the index with data_prep/index_clips.py")
    metadata = {key.decode(errors="replace"): value.decode(errors="replace") for key, value in found.items()}
    return IndexFile(path, metadata, tuple(schema.names), rows)
