"""Lists of files with their sizes and digests: written last, they vouch for what the others hold.

`digests.json` in a folder (a checkpoint, an adapter, an evaluation) lists files of that folder; `NAME.digests.json`
beside `NAME.parquet` (a stage's part, an index) lists that file and those which belong to it. A list says that nothing
was cut, changed or exchanged since it was written; it does not say who wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa

from emotrain.atomic_files import write_json, write_table
from emotrain.damaged_files import DamagedFile
from emotrain.json_files import entry, read_object
from emotrain.parquet_files import read_table

DIGESTS = "digests.json"
_BLOCK = 1 << 24
_HASH = "blake2b"


def list_beside(file: Path) -> Path:
    """The list that vouches for a single file, as `clips.digests.json` for `clips.parquet`."""
    return file.with_suffix(f".{DIGESTS}")


def write_digests(files: Iterable[Path], listed: Path, *, read_from: Mapping[Path, Path] | None = None) -> None:
    """Vouch for `files`, which lie below the folder of the list `listed`.

    `read_from` names, for a file that has yet to get its place, where its content lies now.
    """
    folder = listed.parent
    now = read_from if read_from is not None else {}
    found = {file.relative_to(folder).as_posix(): _stated(now.get(file, file)) for file in files}
    write_json({"files": dict(sorted(found.items()))}, listed)


def write_vouched_table(table: pa.Table, path: Path) -> None:
    """Write a parquet file atomically, then its list; a kill in between leaves the old file or the new, without one."""
    list_beside(path).unlink(missing_ok=True)
    write_table(table, path)
    write_digests([path], list_beside(path))


def vouch_for_table(path: Path, remedy: str) -> None:
    """Write the list of a parquet file that has none, once the file has been read through: a kill came between the two,
    or it is of an earlier version. Raises DamagedFile for a file that cannot be read."""
    if not list_beside(path).exists():
        read_table(path, remedy)
        write_digests([path], list_beside(path))


def faults(listed: Path, remedy: str, *, content: bool = True, only: Iterable[str] | None = None) -> list[DamagedFile]:
    """What is not as the list says: files that are gone, of another size or (`content`) of another digest.

    `only` restricts it to those of these names that the list has. A list that cannot be read is a fault itself.
    """
    try:
        stated = read_digests(listed, remedy)
    except DamagedFile as fault:
        return [fault]
    names = stated.keys() if only is None else [name for name in only if name in stated]
    return [found for name in names if (found := _fault(listed, name, stated[name], content, remedy))]


def check_digests(listed: Path, remedy: str, *, content: bool = True, only: Iterable[str] | None = None) -> None:
    """Raise the first of `faults`, if any."""
    found = faults(listed, remedy, content=content, only=only)
    if found:
        raise found[0]


def read_digests(listed: Path, remedy: str) -> dict[str, dict[str, Any]]:
    """Sizes and digests by the files' paths below the list's folder. Raises DamagedFile for a list that is none."""
    stated = entry(read_object(listed, remedy), "files", dict, listed, remedy)
    for name, value in stated.items():
        known = isinstance(value, dict) and isinstance(value.get("bytes"), int) and isinstance(value.get(_HASH), str)
        if not known or Path(name).is_absolute() or ".." in Path(name).parts:
            raise DamagedFile(listed, f"an entry {name[:80]!r}", "files of this folder with bytes and digest", remedy)
    return dict(stated)


def file_digest(file: Path) -> str:
    """Thirty-two hex digits of a file's content (BLAKE2b)."""
    return str(_stated(file)[_HASH])


def _stated(file: Path) -> dict[str, Any]:
    digest, size = blake2b(digest_size=16), 0
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
            size += len(block)  # counted: what a network's file system says of a file can be some seconds old
    return {"bytes": size, _HASH: digest.hexdigest()}


def _fault(listed: Path, name: str, stated: Mapping[str, Any], content: bool, remedy: str) -> DamagedFile | None:
    file = listed.parent / name
    if not file.is_file():
        return DamagedFile(file, "it is gone", f"{stated['bytes']} bytes as {listed.name} says", remedy)
    size = file.stat().st_size
    if size != stated["bytes"]:
        return DamagedFile(file, f"{size} bytes", f"{stated['bytes']} bytes as {listed.name} says", remedy)
    if content and file_digest(file) != stated[_HASH]:
        return DamagedFile(file, "its content changed", f"what {listed.name} says was written", remedy)
    return None
