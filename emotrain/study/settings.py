"""A study file: arms, folds and seeds of a comparison, checked before anything runs.

    recipe: ../recipes/tiny/base.yaml     # what every arm inherits, relative to the study file
    out: runs/studies/demo
    reference: sparse + natural           # the arm that all others are compared with
    seeds: [0, 1]
    folds: [1, 2, 3, 4, 5]                # left out for data sets with a fixed split
    keys: {epochs: 2}                     # recipe keys of all arms
    primary: uar                          # the figure that contrasts are about unless they name another
    contrasts:                            # what is tested, with Holm's correction over these; all else is description
      - [sparse, enriched]                # does the second differ from the first?
      - [sparse, enriched, tail_f1]
    margin: 3                             # points within which two arms count as equal
    equivalences:
      - [enriched, reversed at test]      # is the difference smaller than the margin?
    arms:
      sparse + natural: {context: none, sampling: natural}
      enriched: {sampling: class_balanced}
      zero-shot: {train: false, context: none}
      reversed at test: {adapter_of: enriched, context_control: reversed}
      dropped: {adapter_of: enriched, corrupt_summaries: drop, each: {corrupt_share: [0.25, 0.5, 1.0]}}
      words alone: {baseline: tfidf}
      a provider's: {server: {base_url: https://HOST/v1, model: NAME, shots: 1}, context: none}

An arm is a few recipe keys and at most one word on what is done: it is trained and scored (nothing said), scored as the
base stands (`train: false`), scored with another arm's adapter and keys (`adapter_of`), a baseline, or a model behind a
`server` (evaluation/served/settings.py). `each` makes one arm of every value of one key. `base:` inherits from another
file, as in recipes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emotrain.emotions import DRAWN_SETS, nearest
from emotrain.evaluation.baselines.run import BASELINES
from emotrain.evaluation.served.settings import ServerSettings, server_settings
from emotrain.metrics.verdict import Contrast
from emotrain.recipe.recipe import read_values
from emotrain.study.declared import declared
from emotrain.synthetic.grades import GRADES
from emotrain.synthetic.styles import STYLES

_KEYS = (
    "recipe", "out", "reference", "seeds", "folds", "keys", "primary", "contrasts", "margin", "equivalences", "arms",
    "clips", "fresh", "title", "notes",
)  # fmt: skip
_CLIPS = ("train", "validation", "test", "seed")
_FRESH = ("test", "seeds")
_SCENES = "scenes"
_WORDS: dict[str, tuple[str, ...]] = {
    "label_set": ("mafw", "dfew", *DRAWN_SETS),
    "style": ("known", *STYLES),
    "grade": GRADES,
}
"""What drawn clips may say of themselves besides numbers."""
_DOES = ("train", "adapter_of", "baseline", "server", "each")
_OURS = ("output_dir", "arm", "seed", "sampling_seed", "fold", "data")
_DRAWN = "root is set by the study itself, which draws its clips; remove it"


class StudyError(ValueError):
    """A study file cannot be used; the message lists every reason."""


@dataclass(frozen=True, slots=True)
class StudyArm:
    """One arm: recipe keys over the study's own, and what is done.

    `varied` is the key that `each` varied and its value, with the name that the family of arms has in common.
    """

    name: str
    keys: Mapping[str, Any]
    trained: bool = True
    adapter_of: str | None = None
    baseline: str | None = None
    server: ServerSettings | None = None
    family: str = ""
    varied: tuple[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """A study file as it was read. `clips` are the sizes of a synthetic clip set that is drawn where it is missing.

    Its `scenes`, where given, is the width in pixels of scenes that the same clips are filmed in (`media: scenes`); its
    `label_set`, `style` and `grade` are those of `synthetic.clip_set`.
    """

    path: Path
    recipe: Path
    out: Path
    reference: str
    arms: tuple[StudyArm, ...]
    seeds: tuple[int, ...] = (0,)
    folds: tuple[int | None, ...] = (None,)
    keys: Mapping[str, Any] = ()  # type: ignore[assignment]
    clips: Mapping[str, Any] | None = None
    fresh: Mapping[str, Any] | None = None
    """Further synthetic test sets, `test` clips of each of the `seeds`: drawn for the arms of the contrasts alone."""
    title: str = ""
    notes: tuple[str, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    """What the study tests: differences, and equivalences (those with a margin)."""

    @property
    def drawing(self) -> dict[str, Any]:
        """What its clips are beside their numbers: label set, style and grade, as `write_clip_set` takes them."""
        return {key: self.clips[key] for key in _WORDS if self.clips is not None and key in self.clips}

    def arm(self, name: str) -> StudyArm:
        """The arm called `name`."""
        return next(arm for arm in self.arms if arm.name == name)


def read_study(path: Path, overrides: Mapping[str, Any] | None = None) -> Study:
    """Read a study file, `overrides` being recipe keys for all its arms.

    Raises StudyError that lists every fault, FileNotFoundError when there is no such file.
    """
    if not path.is_file():
        beside = ", ".join(sorted(file.name for file in path.parent.glob("*.yaml"))) or "no .yaml file"
        raise FileNotFoundError(f"{path}: no such study; beside it: {beside}")
    values = read_values(path)
    faults: list[str] = [f"unknown key {key!r}; {nearest(str(key), _KEYS)}" for key in values if key not in _KEYS]
    faults += [f"{key}: missing" for key in ("recipe", "out", "reference", "arms") if key not in values]
    faults += _texts(values)
    arms = _arms(values.get("arms", {}), faults)
    names = [arm.name for arm in arms]
    faults += _names(arms, names, values.get("reference"))
    faults += _numbers(values, "seeds", least=0) + _numbers(values, "folds", least=1)
    contrasts = declared(values, names, faults)
    clips = values.get("clips")
    if clips is not None:
        faults += _drawn(clips)
    keys = values.get("keys", {})
    fresh = values.get("fresh")
    if fresh is not None:
        faults += _fresh(fresh, clips)
    given = dict(overrides) if overrides is not None else {}
    faults += _foreign("keys", keys) + _foreign("command line", given)
    if clips is not None:
        said_by = {"keys": keys, "command line": given, **{f"arms: {arm.name}": arm.keys for arm in arms}}
        faults += [f"{where}: {_DRAWN}" for where, said in said_by.items() if isinstance(said, dict) and "root" in said]
    if faults:
        raise StudyError(f"{path}: {len(faults)} fault(s)\n" + "\n".join(f"  - {fault}" for fault in faults))
    return Study(
        path=path,
        recipe=(path.parent / values["recipe"]).resolve(),
        # Beside the file, as its recipe is: the same study from any folder.
        out=Path(os.path.normpath(path.parent / Path(values["out"]).expanduser())),
        reference=values["reference"],
        arms=tuple(_inherit(arm, arms) for arm in arms),
        seeds=tuple(values.get("seeds", (0,))),
        folds=tuple(values.get("folds", (None,))),
        keys={**keys, **given},
        clips=clips,
        fresh=fresh,
        contrasts=contrasts,
        title=values.get("title", ""),
        notes=tuple(values.get("notes", ())),
    )


def _inherit(arm: StudyArm, arms: Sequence[StudyArm]) -> StudyArm:
    """An arm that is scored with another's adapter reads what the other read, but for its own keys."""
    source = next((other for other in arms if other.name == arm.adapter_of), None)
    return arm if source is None else replace(arm, keys={**source.keys, **arm.keys})


def _arms(given: Any, faults: list[str]) -> list[StudyArm]:
    if not isinstance(given, dict) or not given:
        faults.append(f"arms: expected `name: {{recipe keys}}` lines, found {given!r}")
        return []
    arms: list[StudyArm] = []
    for name, keys in given.items():
        if not isinstance(keys, dict):
            faults.append(f"arms: {name}: expected recipe keys in braces, found {keys!r}")
            continue
        faults += _foreign(f"arms: {name}", keys)
        faults += [f"arms: {name}: {key}: null says nothing; remove it" for key in _DOES if keys.get(key, "") is None]
        arms += _expand(str(name), keys, faults)
    return arms


def _expand(name: str, keys: Mapping[str, Any], faults: list[str]) -> list[StudyArm]:
    plain = {key: value for key, value in keys.items() if key not in _DOES}
    done = {key: keys[key] for key in ("train", "adapter_of", "baseline", "server") if key in keys}
    if len(done) > 1:
        faults.append(f"arms: {name}: {', '.join(done)} exclude one another")
    if "train" in keys and keys["train"] is not False:
        faults.append(f"arms: {name}: train: {keys['train']!r}; an arm is trained unless it says `train: false`")
    baseline = keys.get("baseline")
    if baseline is not None and baseline not in BASELINES:
        faults.append(f"arms: {name}: baseline {baseline!r}; {nearest(str(baseline), BASELINES)}")
    does: dict[str, Any] = {"trained": not done, "adapter_of": keys.get("adapter_of"), "baseline": baseline}
    if keys.get("server") is not None:
        try:
            does["server"] = server_settings(keys["server"])
        except ValueError as error:
            faults.append(f"arms: {name}: {error}")
    each = keys.get("each")
    if each is None:
        return [StudyArm(name, plain, **does)]
    if not isinstance(each, dict) or len(each) != 1 or not isinstance(next(iter(each.values())), list):
        faults.append(f"arms: {name}: each: {each!r}; expected one key with a list of values")
        return []
    key, values = next(iter(each.items()))
    faults += _foreign(f"arms: {name}: each", each)
    if not values:
        faults.append(f"arms: {name}: each: {key}: no values, so no arm; list some or remove the arm")
    if key in keys or key in _DOES:
        faults.append(f"arms: {name}: each: {key}: expected a recipe key that the arm does not give besides")
    return [
        StudyArm(f"{name} {_short(value)}", {**plain, key: value}, family=name, varied=(key, value), **does)
        for value in values
    ]


def _drawn(clips: Any) -> list[str]:
    expected = f"whole numbers for {', '.join(_CLIPS)} and, where wanted, {_SCENES}, {', '.join(_WORDS)}"
    if not isinstance(clips, dict) or set(clips) - {_SCENES, *_WORDS} != set(_CLIPS):
        return [f"clips: {clips!r}; expected {expected}"]
    faults = (
        [f"clips: {clips!r}; expected {expected}"] if not _whole(v for k, v in clips.items() if k not in _WORDS) else []
    )
    for key, known in _WORDS.items():
        if key in clips and clips[key] not in known:
            faults.append(f"clips: {key} {clips[key]!r}; expected one of {', '.join(known)}")
    if "grade" in clips and "style" not in clips:
        faults.append("clips: grade without style; only styled clips have a grade")
    return faults


def _fresh(given: Any, clips: Any) -> list[str]:
    if not isinstance(clips, dict):
        return ["fresh: further test sets are drawn, so it needs `clips`"]
    seeds = given.get("seeds") if isinstance(given, dict) else None
    wanted = "{test: 440, seeds: [94117, 94118]}"
    if not isinstance(seeds, list) or set(given) != set(_FRESH) or not _whole([given["test"], *seeds]):
        return [f"fresh: {given!r}; expected a number of test clips and two or more seeds, {wanted}"]
    if len(set(seeds)) < 2 or len(set(seeds)) != len(seeds):
        return [f"fresh: seeds {seeds!r}; expected two or more, each once"]
    if clips.get("seed") in seeds:
        return [f"fresh: seed {clips['seed']} is that of `clips`; these sets must not have been looked at"]
    return []


def _names(arms: Sequence[StudyArm], names: Sequence[str], reference: Any) -> list[str]:
    faults = []
    for name, others in ((name, [o for o in names[:i] if slug(o) == slug(name)]) for i, name in enumerate(names)):
        if others:
            faults.append(f"arms: {name!r} and {others[0]!r} would share the folder {slug(name)!r}; rename one")
    if names and reference not in names:
        faults.append(f"reference: no arm {reference!r}; {nearest(str(reference), names)}")
    for arm in arms:
        if arm.adapter_of is not None:
            source = next((other for other in arms if other.name == arm.adapter_of), None)
            if source is None:
                faults.append(
                    f"arms: {arm.name}: adapter_of: no arm {arm.adapter_of!r}; {nearest(str(arm.adapter_of), names)}"
                )
            elif not source.trained:
                faults.append(f"arms: {arm.name}: adapter_of: {arm.adapter_of!r} is not trained and has no adapter")
    return faults


def _foreign(where: str, keys: Any) -> list[str]:
    if not isinstance(keys, dict):
        return [f"{where}: expected recipe keys, found {keys!r}"]
    return [f"{where}: {key} is set by the study itself; remove it" for key in keys if key in _OURS]


def _numbers(values: Mapping[str, Any], key: str, least: int) -> list[str]:
    found = values.get(key)
    if key not in values or (
        isinstance(found, list) and found and _whole(found) and min(found) >= least and len(set(found)) == len(found)
    ):
        return []
    return [f"{key}: {found!r}; expected a list of whole numbers from {least}, each once"]


def _texts(values: Mapping[str, Any]) -> list[str]:
    """Faults of the keys that hold text, and of the notes, which are a list of it."""
    said = [key for key in ("recipe", "out", "reference", "title") if key in values]
    faults = [f"{key}: {values[key]!r}; expected text" for key in said if not isinstance(values[key], str)]
    notes = values.get("notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        faults.append(f"notes: {notes!r}; expected a list of sentences, `- One.` on a line each")
    return faults


def _whole(values: Any) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def slug(text: str) -> str:
    """A name as a folder: "enriched + balanced" is "enriched-balanced"; letters of any script and signs are kept."""
    return re.sub(r"[^\w.]+", "-", re.sub(r"-(?=\d)", "minus", text.lower())).strip("-") or "arm"


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
