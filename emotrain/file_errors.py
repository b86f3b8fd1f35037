"""What a file system said no to, in words: the path, the reason, and what to do about it."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME_ANOTHER = "move it away or name another place"
_BY_KIND: tuple[tuple[type[OSError], str], ...] = (
    (PermissionError, "get the right to read or write there, or name another place"),
    (IsADirectoryError, "a folder lies there where a file is expected; name the file"),
    (NotADirectoryError, f"a file lies there where a folder is expected; {_NAME_ANOTHER}"),
    (FileExistsError, f"a file lies there where a folder is expected; {_NAME_ANOTHER}"),
)
_BY_NUMBER: dict[int | None, str] = {
    errno.EROFS: "the file system can only be read; name another place, or have it mounted for writing",
    errno.ENAMETOOLONG: "no file system takes such a name; give the clip or the folder a shorter one",
    errno.EIO: "the disk or the network in front of it failed; look at the system's log, then run again",
    errno.ESTALE: "the network's file server forgot the file; run again",
}
FULL = (errno.ENOSPC, errno.EDQUOT)
_FREE_SOME = "free some space (or get a larger quota) or name another place, then run again: what is finished is kept"
_NUMBER = re.compile(r"\[?(?:errno|os error) (\d+)\b", re.IGNORECASE)
_UNWRITTEN = ("PytorchStreamWriter failed", "file write failed", "unexpected pos", "iostream error")
"""What torch says when a file cannot be written; it has no number."""
_LIBRARIES = ("SafetensorError", "RuntimeError", "Exception")
"""Names of what safetensors, torch and tokenizers raise when a file cannot be written."""


def visible(text: str) -> str:
    """A text with `?` for what moves a terminal's cursor, hides or turns other words, or cannot be written at all."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def in_words(error: BaseException) -> str:
    """The message of an error for people; the system's own ("[Errno 13] ...") begins with the path and has a remedy.

    Messages repeat names of files, clips and servers, which others chose: all of it is `visible`.
    """
    return visible(_in_words(error))


def _in_words(error: BaseException) -> str:
    if not isinstance(error, OSError) or error.filename is None or error.strerror is None:
        return str(error)
    by_kind = next((text for kind, text in _BY_KIND if isinstance(error, kind)), None)
    remedy = _FREE_SOME if error.errno in FULL else by_kind or _BY_NUMBER.get(error.errno)
    return f"{error.filename}: {error.strerror}" + (f"; {remedy}" if remedy is not None else "")


@contextmanager
def about(path: Path, *standing_for: Path) -> Iterator[None]:
    """Gives errors of the file system that name no file, or one of `standing_for`, the name `path`.

    Libraries say a full disk in words of their own (safetensors, torch, tokenizers, pyarrow); those become OSError.
    """
    try:
        yield
    except Exception as error:
        number = _number(error, path)
        if number is None:
            raise
        if isinstance(error, OSError) and error.filename not in (None, *map(str, standing_for), *standing_for):
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def _number(error: Exception, path: Path) -> int | None:
    """The system's number for an error, None for one that is not the system's."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    text = str(error)
    if not isinstance(error, OSError) and type(error).__name__ not in _LIBRARIES:
        return None
    if (match := _NUMBER.search(text)) and int(match[1]) in (*FULL, *_BY_NUMBER, errno.EACCES, errno.EPERM):
        return int(match[1])
    if any(said in text for said in _UNWRITTEN):
        return errno.ENOSPC if _is_full(path) else errno.EIO
    return None


def _is_full(path: Path) -> bool:
    folder = next((parent for parent in (path, *path.parents) if parent.is_dir()), Path("/"))
    return shutil.disk_usage(folder).free < 1 << 24
