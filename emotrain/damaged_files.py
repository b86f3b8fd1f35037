"""Files that do not hold what they should: one kind of error, whose message names file, finding and remedy."""

from __future__ import annotations

from pathlib import Path


class DamagedFile(ValueError):
    """A file is cut, changed, another program's or another run's; `path` says which."""

    def __init__(self, path: Path | str, found: str, expected: str, remedy: str) -> None:
        self.path = Path(path)
        super().__init__(f"{path}: {found}; expected {expected}: {remedy}")

    def __reduce__(self) -> tuple[type[ValueError], tuple[str]]:
        return ValueError, (str(self),)  # it travels between the processes of a run as its message
