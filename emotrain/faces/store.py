"""The faces of clips by their ids, wherever they are looked up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emotrain.clip_errors import ClipError, LeftOutBefore
from emotrain.faces.find import FoundFaces
from emotrain.faces.records import from_rows
from emotrain.stages.clip_parts import ClipParts, Quarantined


class FaceStore:
    """The faces in one `faces/` folder (see stages/clip_parts.py for what a look-up costs)."""

    def __init__(self, folder: Path) -> None:
        """Raises FileNotFoundError when no part is there."""
        self.folder = Path(folder)
        self._parts = ClipParts(self.folder, "data_prep/find_faces.py")

    def of(self, clip_id: str) -> FoundFaces:
        """A clip's faces; ClipError says why it has none (it shows none, or could not be read)."""
        try:
            rows = self._parts.rows(clip_id)
        except Quarantined as error:
            raise LeftOutBefore(str(error.args[0])) from error
        except KeyError as error:
            raise ClipError(str(error.args[0])) from error
        return FoundFaces(*from_rows(rows))

    def clip_ids(self) -> Iterator[str]:
        """Ids of all clips with a face, part by part."""
        return self._parts.clip_ids()

    def __contains__(self, clip_id: str) -> bool:
        return clip_id in self._parts
