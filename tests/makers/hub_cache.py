"""A Hub cache as the real client leaves it, around a checkpoint on disk: what a machine without internet has."""

from __future__ import annotations

import shutil
from pathlib import Path

COMMIT = "5f0a3c1d9b7e" + "0" * 28


def add_to_cache(cache: Path, name: str, folder: Path, commit: str = COMMIT) -> Path:
    """Put a model's files under `models--Org--Name/snapshots/<commit>`, `main` being that commit; the snapshot."""
    home = cache / f"models--{name.replace('/', '--')}"
    shutil.copytree(folder, home / "snapshots" / commit)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit, encoding="utf-8")
    return home / "snapshots" / commit
