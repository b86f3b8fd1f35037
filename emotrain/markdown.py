"""Words of others in Markdown: class names, clip ids and replies stand there as text, and never as markup."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_\[\]#|~])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def plain(text: object) -> str:
    """A text as it is read: on one line, with every character escaped that Markdown, a table or HTML would act on."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return _SPECIAL.sub(r"\\\1", "".join(_HTML.get(c, c) for c in line))


def code(text: object) -> str:
    """A text as inline code, on one line; in a table, too."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split()).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", line)), default=0) + 1)
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{edge}{line}{edge}{ticks}"


def fence(text: str) -> str:
    """The backticks that fence a block of this text: more than any run in it, so that nothing in it ends the block."""
    return "`" * max(3, max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
