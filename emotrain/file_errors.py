"""What a file system said no to, in words: the path, the reason, and what to do about it."""

from __future__ import annotations

_REMEDIES: tuple[tuple[type[OSError], str], ...] = (
    (PermissionError, "get the right to read or write there, or name another place"),
    (IsADirectoryError, "a folder lies there where a file is expected; name the file"),
    (NotADirectoryError, "a file lies there where a folder is expected; move it away or name another place"),
    (FileExistsError, "a file lies there where a folder is expected; move it away or name another place"),
)


def in_words(error: BaseException) -> str:
    """The message of an error for people; the system's own ("[Errno 13] ...") begins with the path and has a remedy."""
    if not isinstance(error, OSError) or error.filename is None or error.strerror is None:
        return str(error)
    remedy = next((f"; {text}" for kind, text in _REMEDIES if isinstance(error, kind)), "")
    return f"{error.filename}: {error.strerror}{remedy}"
