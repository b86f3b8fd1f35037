"""What must not leave this machine, and how it is found in a text: tokens, paths, user names, clips, captions.

Clip names are looked up as whole words, so twenty thousand of them cost one pass over the text. The names of DFEW and
MAFW are numbers; a number is a clip name only where a card or a recipe has no other use for it: before a media suffix,
zero-padded to four digits and more, or as three and more quoted ones in a file.
"""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emotrain.datasets.clips import CLIPS_FILE
from emotrain.emotions import ALIASES
from emotrain.hub.ordinary_words import ordinary_words
from emotrain.parquet_files import read_table
from emotrain.secret_words import secrets_of, shapes_in

PATH = re.compile(
    # Behind a boundary, or emphasis that begins there; the usual roots also behind Chinese words and odd signs.
    r"""(?:(?<=[\s"'`=(,;:\[{<>|])|^)[*_~]{0,3}(?:file:/+|~/|/)(?=[\w.@+-])(?:[\w.@+ -]*[\w.@+-]/)+[\w.@+-]*"""
    r"""|(?<![A-Za-z0-9_./~-])/(?:home|Users|root|mnt|scratch|data|tmp)/[\w.@+-]+"""
    r"""|(?<![A-Za-z])[A-Za-z]:\\[\w\\. -]+""",
    re.MULTILINE,
)
ROOT_FOLDER = re.compile(r"""(?<=["'\s])/[\w.@+-]+(?=["'\s]|$)""", re.MULTILINE)
MEDIA = r"\.(?:mp4|avi|mov|mkv|webm|wmv|mpe?g|m4v|ts|gif|jpe?g|png|bmp|webp|npy|npz)"
_WORD = re.compile(r"[^\s\"'`,;:()\[\]{}<>|=]+")
_QUOTED_NUMBER = re.compile(r"""["'](\d+)["']""")
_REMEDY = "make the index or the predictions again"
_CAPTION = 16  # characters; a shorter caption is a word or two that any text may hold


@dataclass(frozen=True, slots=True)
class Private:
    """What is known of a run that a published file may not repeat. `names` are clip ids, file stems and subjects.

    `secrets` are values by what they are called. `public` may be repeated: the names of repository and base, which may
    hold the user's, and words that the user let pass as no name at all.
    """

    names: frozenset[str] = frozenset()
    captions: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    public: tuple[str, ...] = ()


def private_words(data: Iterable[Path] = (), predictions: Iterable[Path] = (), public: tuple[str, ...] = ()) -> Private:
    """Read what to look for: clips of data folders, clips of prediction files, secrets of the environment, the user.

    A data folder without clips.parquet (the adapter was copied to another machine) adds nothing.
    """
    names: set[str] = set()
    captions: set[str] = set()
    for path in [*(folder / CLIPS_FILE for folder in data), *predictions]:
        if not path.is_file():
            continue
        for row in read_table(path, _REMEDY, ["clip_id", "path", "subject", "caption"]).to_pylist():
            names.update(_forms(row["clip_id"]))
            if row.get("path"):
                names.update(_forms(row["path"]))
            # Subjects such as "1" or "sub01" are in any text; in a name of their own they identify somebody.
            if row.get("subject") and len(row["subject"]) > 7:
                names.add(row["subject"])
            if row.get("caption") and len(row["caption"]) >= _CAPTION:
                captions.add(_flat(row["caption"]))
    user = _user()
    return Private(
        frozenset(names.difference(public)),
        tuple(sorted(captions)),
        _secrets(),
        None if user in public or user in ordinary_words() else user,
        public,
    )


def leaks(text: str, private: Private) -> list[str]:
    """What a text gives away, in words that do not repeat a secret; at most one of each kind."""
    found = shapes_in(text)
    if held := [name for name, secret in private.secrets.items() if secret in text]:
        found.append(f"the value of {held[0]}")
    for pattern in (PATH, ROOT_FOLDER):
        if match := pattern.search(text):
            found.append(f"the absolute path {match[0].lstrip('*_')!r}")
            break
    if private.user is not None and _names(private.user, text, private.public):
        found.append(f"the user name {private.user!r} (--allow-word {private.user} where it is a mere word)")
    clips = _clips(text, private.names)
    if clips:
        more = f" and {len(clips) - 1} more" if len(clips) > 1 else ""
        found.append(f"the clip name {clips[0]!r}{more} (--allow-word {clips[0]} where it is a mere word)")
    flat = _flat(text)
    if any(caption in flat for caption in private.captions):
        found.append("the caption of a clip")
    if re.search(r"data:(?:image|video)/[\w.+-]+;base64,", text):
        found.append("an embedded image")
    return found


def _names(user: str, text: str, public: Iterable[str]) -> bool:
    for word in public:
        if user in word:
            text = text.replace(word, "")
    return re.search(rf"(?<![\w-]){re.escape(user)}(?![\w-])", text) is not None


def _clips(text: str, names: frozenset[str]) -> list[str]:
    if not names:
        return []
    found: dict[str, None] = {}
    for match in _WORD.finditer(text):
        word = match[0].strip(".")
        stem = re.sub(rf"{MEDIA}$", "", word, flags=re.IGNORECASE)
        for form in (word, stem, *_tails(stem)):
            if form in names and (not form.isdigit() or stem != word or (form[0] == "0" and len(form) >= 4)):
                found[form] = None
    numbers = {number for number in _QUOTED_NUMBER.findall(text) if number in names}
    if len(numbers) >= 3:
        found.update(dict.fromkeys(sorted(numbers)))
    return list(found)


def _tails(word: str) -> list[str]:
    """`b/c` and `c` of `a/b/c`, shortest last."""
    parts = word.split("/")
    return ["/".join(parts[i:]) for i in range(1, len(parts)) if parts[i]]


def _forms(name: str) -> set[str]:
    """A clip's name, its path without suffix, its last part; parts too short to tell anything are left out."""
    stem = re.sub(rf"{MEDIA}$", "", name, flags=re.IGNORECASE)
    last = stem.rpartition("/")[2]
    return {form for form in (name, stem, last) if form.isdigit() or (len(form) >= 6 and form not in ALIASES)}


def _flat(text: str) -> str:
    return " ".join(text.split()).casefold()


def _secrets() -> dict[str, str]:
    from huggingface_hub import get_token

    found = {f"${name} (unset it where it is no secret)": value for name, value in secrets_of(os.environ).items()}
    token = get_token()
    return found if token is None else {**found, "the Hub's token": token}


def _user() -> str | None:
    """The user's name where it tells one person from another."""
    name = os.environ.get("SUDO_USER") or _login()
    return None if name is None or len(name) < 3 or name in ("root", "user", "ubuntu", "runner", "jovyan") else name


def _login() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user id has no name
        return None
