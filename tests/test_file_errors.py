"""What the file system refuses is said in a line that names the path and a remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from emotrain.file_errors import in_words


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "/data/x"), "/data/x: Permission denied; get the right to"),
        (OSError(30, "Read-only file system", "/data/x"), "/data/x: Read-only file system"),
        (FileNotFoundError("/data: no clip index here"), "/data: no clip index here"),
        (ValueError("keyframes: 0"), "keyframes: 0"),
    ],
)
def test_a_refusal_begins_with_its_path(error: Exception, said: str) -> None:
    assert in_words(error).startswith(said)
    assert "[Errno" not in in_words(error)


@pytest.mark.parametrize("kind", [IsADirectoryError, NotADirectoryError, FileExistsError])
def test_a_file_in_the_place_of_a_folder_has_a_remedy(kind: type[OSError]) -> None:
    assert "is expected; " in in_words(kind(1, "reason", "/data/x"))


@pytest.mark.parametrize("verb", ["plan", "train"])
def test_a_folder_named_as_a_recipe_ends_with_a_message(tmp_path: Path, verb: str) -> None:
    (tmp_path / "dir.yaml").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "emotrain.cli", verb, str(tmp_path / "dir.yaml")],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 2
    assert f"emotrain: {tmp_path / 'dir.yaml'}: Is a directory; a folder lies there" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_message_moves_the_cursor_or_turns_words_around() -> None:
    assert in_words(ValueError("clip \x1b[2J\u202ea\ud800\nb")) == "clip ?[2J?a?\nb"
