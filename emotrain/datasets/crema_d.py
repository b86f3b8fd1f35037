"""Reader of CREMA-D (Cao et al. 2014): 91 actors say twelve sentences in six emotions, rated by a crowd.

VideoFlash/1001_DFA_ANG_XX.flv              actor, sentence, emotion, level (LO, MD, HI or XX for unspecified)
SentenceFilenames.csv                       the names of all clips
VideoDemographics.csv                       age, sex, race and ethnicity of each actor
processedResults/tabulatedVotes.csv         votes A, D, F, H, N, S of each clip: sound alone, face alone, both

The label is the emotion that the actor was asked for. `votes` are those of people who saw the face without its sound,
as a model here does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from emotrain.datasets.ignored import is_ignored
from emotrain.datasets.media import VIDEO_SUFFIXES, Listing
from emotrain.datasets.reading import LayoutError, Reading, UnknownLabel, first_existing, joined, media_folder
from emotrain.datasets.tables import read_table
from emotrain.datasets.votes import shares_of
from emotrain.emotions import label_set
from emotrain.records import Clip

EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
LEVELS = ("LO", "MD", "HI", "XX")
FOLDERS = ("VideoFlash", "*/VideoFlash", "*/*/VideoFlash")
FACE_ALONE = "2"
"""First digit of a row's number in tabulatedVotes.csv: 1 the voice, 2 the face, 3 both were shown."""

SPOILED: Mapping[str, str] = {
    "1064_IEO_DIS_MD": "it lasts a minute and holds all emotional displays",
    "1064_TIE_SAD_XX": "it has no duration",
    "1076_MTI_NEU_XX": "it is very short",
    "1076_MTI_SAD_XX": "it shows an error picture",
}
"""Clips that the authors' README says do not show what their names say."""

_NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{1,2})")
_COLUMNS = {
    "number": ("", "rownames", "number"),
    **{label: (code[0],) for code, label in EMOTIONS.items()},
    "clip": ("fileName",),
}
_PEOPLE = {
    "actor": ("ActorID",),
    **{name: (name.capitalize(),) for name in ("age", "sex", "race", "ethnicity")},
}


def read_crema_d(root: Path, listing: Listing, *, media: str | None = None) -> Reading:
    """All clips with their actor and the shares of the votes; folds are assigned by actor.

    `media` is the folder of the videos (default VideoFlash), where copies in another format are taken by their names.
    Without SentenceFilenames.csv the clips are the files that are there. Raises LayoutError, and UnknownLabel for an
    emotion that the names of CREMA-D do not have.
    """
    reading = Reading("crema_d", label_set("crema_d"))
    folder = media_folder(root, media, FOLDERS)
    base = (root / folder).parent
    files = {
        Path(name).stem: name
        for name, is_folder in sorted(listing.folder(root / folder).items())
        if not is_folder and not is_ignored(name) and Path(name).suffix.lower() in VIDEO_SUFFIXES
    }
    listed = _listed(base, reading)
    names = listed if listed else list(files)
    if not names:
        raise LayoutError(f"{root / folder}: no video here and no SentenceFilenames.csv in {base}")
    for name in sorted(set(files) - set(names)):
        reading.warn("not listed", f"{joined(folder, files[name])}: no row of SentenceFilenames.csv has this name")
    votes, people = _votes(base, reading), _people(base, reading)
    for name in names:
        path = joined(folder, files.get(name, f"{name}.flv"))
        found = _NAME.fullmatch(name)
        if found is None:
            reading.quarantine(name, "", path, f"{name!r} is not ACTOR_SENTENCE_EMOTION_LEVEL")
            continue
        actor, _, code, level = found.groups()
        if code not in EMOTIONS:
            raise UnknownLabel(f"{path}: emotion {code!r} is no code of CREMA-D, expected {', '.join(EMOTIONS)}")
        if level not in LEVELS:
            reading.warn("level", f"{name}: level {level!r} is none of {', '.join(LEVELS)}")
        if name in SPOILED:
            reading.warn("left out", f"{name}: its authors say that {SPOILED[name]}")
            continue
        label = EMOTIONS[code]
        reading.clips.append(
            Clip(name, path, label, votes=votes.get(name), subject=f"actor {actor}", traits=people.get(actor))
        )
    return reading


def _listed(base: Path, reading: Reading) -> list[str]:
    file = base / "SentenceFilenames.csv"
    if not file.is_file():
        reading.warn("annotation", f"{file} is missing: the clips are the files that are there")
        return []
    rows = read_table(file, {"name": ("Filename",)}).rows
    names = [row.cells["name"].removesuffix(".flv") for row in rows if row.text("name") is not None]
    for name in sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else ():
        reading.warn("duplicate row", f"{file.name}: {name} is listed twice")
    return list(dict.fromkeys(names))


def _people(base: Path, reading: Reading) -> dict[str, Mapping[str, str]]:
    """What is said of each actor, by number; {} with a warning when there is no table that can be read."""
    file = base / "VideoDemographics.csv"
    try:
        rows = read_table(file, _PEOPLE, ["actor"]).rows
    except (LayoutError, FileNotFoundError) as error:
        reading.warn("people", f"{error}; age, sex, race and ethnicity stay unknown")
        return {}
    known = [(row.cells["actor"], {name: row.text(name) for name in _PEOPLE if name != "actor"}) for row in rows]
    return {actor: {name: value for name, value in of_actor.items() if value is not None} for actor, of_actor in known}


def _votes(base: Path, reading: Reading) -> dict[str, Mapping[str, float]]:
    """Shares of the votes on the face alone by clip; {} with a warning when there is no table that can be read."""
    try:
        file = first_existing(base, ["processedResults/tabulatedVotes.csv", "tabulatedVotes.csv"], "the votes")
        rows = read_table(file, _COLUMNS).rows
    except LayoutError as error:
        reading.warn("soft labels", f"{error}; the votes column is empty")
        return {}
    votes: dict[str, Mapping[str, float]] = {}
    for row in rows:
        if row.cells.get("number", "").startswith(FACE_ALONE) and len(row.cells["number"]) == len("200001"):
            shares = shares_of(row, tuple(EMOTIONS.values()), reading)
            name = row.text("clip")
            if shares is not None and name is not None:
                votes[name] = shares
    if rows and not votes:
        reading.warn("soft labels", f"{file.name}: no row numbered 200001.. (face alone); the votes column is empty")
    return votes
