"""Whether a finished part still holds what its stage wrote: size, digest, schema, and the clips of its own shard.

The list of a part and of the files beside it is there before the part is: a part that has its name is vouched for. One
of a version that kept no list is read through once, and vouched for from then on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from emotrain.damaged_files import DamagedFile
from emotrain.digests import faults, list_beside, write_digests
from emotrain.parquet_files import opened
from emotrain.records import Clip
from emotrain.stages.quarantine import damage_path, quarantine_path

REMEDY = "run the stage that writes this folder again: it makes this part anew"


def vouch_part(part: Path, content: Path | None = None) -> None:
    """Write the list of a part and of the files beside it; `content` is where the part lies before it has its name."""
    beside = [path for path in (quarantine_path(part), damage_path(part)) if path.is_file()]
    write_digests([part, *beside], list_beside(part), read_from={} if content is None else {part: content})


def keep_or_drop(part: Path, schema: pa.Schema, clips: Iterable[Clip]) -> bool:
    """Whether a finished part can be kept; one that is damaged is removed and said, so that it is made again.

    Raises ValueError, and removes nothing, for a part that is whole and of another stage or of other clips.
    """
    try:
        _check(part, schema, clips)
    except DamagedFile as fault:
        print(f"emotrain: {str(fault).removesuffix(f': {REMEDY}')}: it is made again", file=sys.stderr)
        for path in (part, list_beside(part), quarantine_path(part), damage_path(part)):
            path.unlink(missing_ok=True)
        return False
    return True


def part_faults(part: Path) -> list[DamagedFile]:
    """What is wrong with a part, by its list, or by reading it through where there is none."""
    listed = list_beside(part)
    if listed.is_file():
        return faults(listed, REMEDY)
    try:
        with opened(part, REMEDY) as file:
            for group in range(file.num_row_groups):
                file.read_row_group(group)
        if not quarantine_path(part).is_file():
            raise DamagedFile(quarantine_path(part), "it is gone", "the file that is written with its part", REMEDY)
    except DamagedFile as fault:
        return [fault]
    return []


def groups_of(path: Path, file: Any, remedy: str = REMEDY) -> dict[str, int]:
    """The row group of each clip of an open part, from the statistics in its footer."""
    metadata = file.metadata
    column = file.schema_arrow.get_field_index("clip_id")
    groups: dict[str, int] = {}
    for group in range(metadata.num_row_groups if column >= 0 else 0):
        statistics = metadata.row_group(group).column(column).statistics
        if statistics is None or not statistics.has_min_max or statistics.min != statistics.max:
            raise DamagedFile(
                path, f"row group {group} does not hold one clip", "a part that a stage of emotrain wrote", remedy
            )
        groups[statistics.min] = group
    return groups


def _check(part: Path, schema: pa.Schema, clips: Iterable[Clip]) -> None:
    found = part_faults(part)
    if found:
        raise found[0]
    with opened(part, REMEDY) as file:
        found_schema, groups = file.schema_arrow, groups_of(part, file)
    if not found_schema.equals(schema):
        raise ValueError(
            f"{part}: columns {', '.join(found_schema.names)}; expected {', '.join(schema.names)} of this stage: "
            "another version or another stage wrote it; delete it and the files beside it, or prepare another folder"
        )
    strange = groups.keys() - {clip.clip_id for clip in clips} if groups else set()
    if strange:
        raise ValueError(
            f"{part}: holds {len(strange)} clip(s) that this part of the index has not, such as {min(strange)!r}; "
            "expected the clips of this data folder: delete it and the files beside it, and run the stage again"
        )
    if not list_beside(part).is_file():
        vouch_part(part)
