"""What a file is by its first bytes, where a video should be: a pointer, a web page, a playlist, an archive ...

The index looks at every video file with it and the decoders before they open one, so that all of them say the same,
and so that a file which names other files or servers never reaches a decoder.
"""

from __future__ import annotations

import re
from pathlib import Path

HEAD = 1024
_LFS = "a Git LFS pointer: the video itself was not fetched; run `git lfs pull` in its repository"
_ANNEX = "a git-annex pointer: the video itself was not fetched; run `git annex get` in its repository"
_PAGE = "a web page, as servers send one that asks to log in or says that the link is gone; download the video again"
_ANSWER = "a server's answer in place of the file (XML or JSON, often an error); download the video again"
_PLAYLIST = "a playlist, which names other files or addresses; only videos that hold their own frames are read"
_ARCHIVE = "an archive; unpack it and index what is inside"
_PICTURE = "a single picture, no clip; a clip of pictures is a folder of them"
_APPLE = "what macOS leaves beside a file (AppleDouble), without the file's content; delete it"
_ZEROS = "nothing but zeros, as a download or copy that did not finish leaves them; copy the file again"

_TEXTS: tuple[tuple[str, str], ...] = (
    (r"version https?://(git-lfs|hawser)\.github\.com/spec/", _LFS),
    (r"(\.\./)*(\.git|/)?/?annex/objects/", _ANNEX),
    (r"(<!--.*?-->\s*)?(<!doctype\s+html|<html|<head|<body|<script|<title)", _PAGE),
    (r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<mpd|<smil|<playlist|<asx|<smoothstreamingmedia|<manifest)", _PLAYLIST),
    (r"(<\?xml[^>]*>\s*)?<!doctype\s+html", _PAGE),
    (
        r"#extm3u|#ext-x-|ffconcat|\[playlist\]|\[reference\]|rtsptext|v=0\s|(https?|rtmp|rtsp|mms|concat|subfile):",
        _PLAYLIST,
    ),
    (r"<\?xml|<error|\{\s*\"|\[\s*\{", _ANSWER),
)
_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", _ARCHIVE),
    (b"Rar!\x1a\x07", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"\x1f\x8b\x08", _ARCHIVE),
    (b"\xfd7zXZ\x00", _ARCHIVE),
    (b"\x28\xb5\x2f\xfd", _ARCHIVE),
    (b"\x89PNG\r\n\x1a\n", _PICTURE),
    (b"%PDF-", "a PDF document, no video"),
    (b"\x00\x05\x16\x07", _APPLE),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def no_video(path: Path) -> str | None:
    """What stands at `path` instead of a video and what to do, None where it may be one. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        if head and not any(head) and not any(file.read(64 * HEAD)):
            return _ZEROS
    for magic, what in _KINDS:
        if head.startswith(magic):
            return what
    text = _as_text(head)
    if text is None:
        return None
    for pattern, what in _TEXTS:
        if re.match(pattern, text, re.IGNORECASE | re.DOTALL):
            return what
    return f"text, no video: {text[:40]!r}" if len(text) >= 64 else None


def _as_text(head: bytes) -> str | None:
    """The head as text without what may stand before it, None for bytes that no text has."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "replace").lstrip()
    return None if _CONTROL.search(head) else head.decode("utf-8", "replace").lstrip()
