"""What `emotrain check` looks at: every list of digests below a folder, and by their own formats files without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from emotrain.balance.manifest import ManifestError, read_manifest
from emotrain.context.summarizer import BACKEND_FILE, read_settings
from emotrain.damaged_files import DamagedFile
from emotrain.digests import DIGESTS, faults, read_digests, write_digests
from emotrain.json_files import read_object
from emotrain.parquet_files import opened
from emotrain.stages.parts import finished_parts
from emotrain.stages.whole_parts import REMEDY as STAGE_REMEDY
from emotrain.stages.whole_parts import part_faults
from emotrain.training.whole import PROVENANCE, checkpoint_faults
from emotrain.video.frame_settings import read_frames_header

_OTHERWISE = "if it was changed on purpose, `emotrain check {} --renew` accepts it"
_REMEDIES = (
    ("clips", "delete it and make it again with `emotrain prep RECIPE --stage index`"),
    ("metrics", "delete predictions.parquet there and evaluate again"),
)
_RUN_REMEDY = "train again with the same recipe, which goes on from the newest whole checkpoint, or put it back"
_UNKNOWN = "take it from where it came again"


@dataclass(slots=True)
class Checked:
    """How many files were compared with their digests, how many have none and were read, and what was found."""

    vouched: int = 0
    read: int = 0
    faults: list[str] = field(default_factory=list)
    renewed: list[Path] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The faults, a line each, then the sum."""
        yield from self.faults
        yield from (f"{path}: written anew" for path in self.renewed)
        yield (
            f"{self.vouched} files are compared with their digests, {self.read} without any were read; "
            f"{len(self.faults) if self.faults else 'no'} fault(s)"
        )


def check_folder(folder: Path, *, renew: bool = False) -> Checked:
    """Check everything below `folder`; `renew` writes the lists of files that were changed anew instead."""
    checked = Checked()
    vouched: set[Path] = set()
    for listed in sorted(folder.rglob(f"*{DIGESTS}")):
        if listed.name != DIGESTS and not listed.name.endswith(f".{DIGESTS}"):
            continue
        vouched |= _check_list(listed, checked, renew)
    for path in sorted(folder.rglob("*")):
        if path in vouched or path.name.endswith(DIGESTS) or path.name[0] == "." or not path.is_file():
            continue
        checked.faults += _read(path, checked)
    return checked


def _check_list(listed: Path, checked: Checked, renew: bool) -> set[Path]:
    home = listed.parent
    remedy = f"{_remedy(listed)}; {_OTHERWISE.format(home)}"
    try:
        names = read_digests(listed, remedy)
    except DamagedFile as fault:
        checked.faults.append(str(fault))
        return set()
    files = {home / name for name in names}
    found = faults(listed, remedy)
    if found and renew and all(path.is_file() for path in files):
        write_digests(files, listed)
        checked.renewed.append(listed)
        found = []
    checked.vouched += len(files)
    checked.faults += [str(fault) for fault in found]
    if listed.name == DIGESTS and home.name.startswith("checkpoint-") and not found:
        checked.faults += [f"{home}: {fault}: {_RUN_REMEDY}" for fault in checkpoint_faults(home, content=True)]
    return files


def _remedy(listed: Path) -> str:
    if listed.name == DIGESTS:
        return _RUN_REMEDY if (listed.parent / PROVENANCE).is_file() else _UNKNOWN
    if listed.name.startswith("part-"):
        return STAGE_REMEDY
    return next((remedy for name, remedy in _REMEDIES if listed.name.startswith(name)), _UNKNOWN)


def _read(path: Path, checked: Checked) -> list[str]:
    """What a file without a digest says of itself."""
    try:
        if path.suffix == ".parquet":
            checked.read += 1
            if path in finished_parts(path.parent):
                return [str(fault) for fault in part_faults(path)]
            with opened(path, _UNKNOWN) as file:
                for group in range(file.num_row_groups):
                    file.read_row_group(group)
        elif path.suffix == ".json":
            checked.read += 1
            for name, read in _BY_THEIR_OWN.items():
                if path.match(name):
                    read(path)
                    return []
            read_object(path, _UNKNOWN)
    except (DamagedFile, ManifestError, FileNotFoundError) as fault:
        return [str(fault)]
    return []


_BY_THEIR_OWN: dict[str, Callable[[Path], object]] = {
    "frames/frames.json": lambda path: read_frames_header(path.parents[1]),
    f"summaries/*/{BACKEND_FILE}": lambda path: read_settings(path.parent),
    "manifests/*.json": lambda path: read_manifest(path.with_suffix(".parquet")),
}
"""Files that carry a digest of their own."""
