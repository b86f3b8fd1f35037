"""One clip a person: an index in which every face of a clip is a clip of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from emotrain.clip_errors import LeftOutBefore
from emotrain.datasets.clips import CLIPS_FILE, ClipIndex
from emotrain.datasets.index_file import open_index_file
from emotrain.digests import write_vouched_table
from emotrain.faces.store import FaceStore
from emotrain.records import Clip, to_table


def write_people(data: Path, out: Path) -> str:
    """Write `out/clips.parquet` with clips CLIP@1, CLIP@2 ... for the faces of each clip of `data`, from the left, and
    say what was written.

    A person has the label, the split and all else of the clip; nobody knows who of them it was meant for. All people
    of a clip have one source, so that they stay on one side of a split that is drawn later. Clips without a face are
    left out. Raises FileNotFoundError when `data/faces` is not there, ValueError when `out` has an index already.
    """
    clips, store = ClipIndex(data), FaceStore(data / "faces")
    file = out / CLIPS_FILE
    if file.exists():
        raise ValueError(f"{file} is there already; name another folder, or delete it to write the people anew")
    people = [person for clip in clips for person in _people(clip, store)]
    metadata = {**open_index_file(data).metadata, "root": str(clips.root.absolute())}
    write_vouched_table(to_table(people, Clip, metadata), file)
    shown = len({person.path for person in people})
    return (
        f"{file}: {len(people)} people in {shown} clips, {len(clips) - shown} clips without a face left out; next: "
        f"`emotrain prep` of a recipe with data: {out}, or data_prep/find_faces.py --data {out}"
    )


def _people(clip: Clip, store: FaceStore) -> Iterator[Clip]:
    try:
        faces = store.of(clip.clip_id).clip.faces
    except LeftOutBefore:
        return
    for number in range(1, faces + 1):
        source = clip.source if clip.source is not None else clip.clip_id
        yield replace(clip, clip_id=f"{clip.clip_id}@{number}", source=source, face=str(number))
