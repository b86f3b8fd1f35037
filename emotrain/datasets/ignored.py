"""Names that systems leave in everybody's folders and that are no data: the one rule, for all readers."""

from __future__ import annotations

from pathlib import Path

_BEGIN = (".", "~$")
"""Hidden files (`._img46.jpg`, `.DS_Store`) and the locks of an open spreadsheet."""
_NAMES = frozenset(
    (
        "__macosx", "$recycle.bin", "recycler", "system volume information", "lost+found", "@eadir", "@recycle",
        "#recycle", "@tmp", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r",
    )
)  # fmt: skip


def is_ignored(name: str) -> bool:
    """True for a file or folder name that no reader looks at."""
    return name.startswith(_BEGIN) or name.lower() in _NAMES


def found(root: Path, pattern: str) -> list[Path]:
    """What a glob pattern matches below `root`, sorted, without ignored names on the way."""
    return sorted(path for path in root.glob(pattern) if not any(map(is_ignored, path.relative_to(root).parts)))
