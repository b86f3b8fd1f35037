"""Settings of a drawing: refused when they make no sense, and told apart by the name of the manifest's file."""

from dataclasses import fields
from hashlib import sha256

import pytest

from emotrain.balance.draw_settings import STRATEGIES, DrawSettings
from emotrain.balance.manifest import build_manifest
from emotrain.records import Clip

OWN = {"power": {"power": 0.25}, "effective_number": {"beta": 0.9}, "repeat_factor": {"threshold": 0.2}}
MORE = (
    {},
    {"epoch_size": 17, "seed": 5, "epochs": 2},
    {"replacement": True, "compound": "joint"},
    {"group_by": "subject", "group_cap": 0.25, "compound": "rarest"},
)


@pytest.mark.parametrize(
    ("strategy", "given", "message"),
    [
        ("class_balance", {}, "did you mean 'class_balanced'"),
        ("power", {}, "needs power=q"),
        ("natural", {"power": 0.5}, "power=0.5 has no effect on 'natural'"),
        ("power", {"power": 0.5, "beta": 0.9, "threshold": 0.1}, "beta=0.9 has no effect.*threshold=0.1 has no effect"),
        ("effective_number", {"beta": 1.0}, "0 <= beta < 1"),
        ("repeat_factor", {"threshold": 0.0}, "more than 0"),
        ("progressive", {"epochs": 1}, "needs 2 or more"),
        ("natural", {"epochs": 0}, "epochs=0: expected 1 or more"),
        ("natural", {"epoch_size": 0}, "epoch_size=0: expected 1 or more"),
        ("natural", {"group_by": "subject"}, "both or neither"),
        ("power", {"power": 200.0}, "power=200.0: expected -10 to 10"),
        ("power", {"power": float("nan")}, "power=nan: expected -10 to 10"),
        ("natural", {"group_by": "sbject", "group_cap": 0.2}, "did you mean 'subject'"),
        ("natural", {"group_by": "subject", "group_cap": 1.5}, "between 0 and 1"),
        ("natural", {"compound": "all"}, "known: label, rarest, joint"),
        ("power", {"epochs": 0, "compound": "all"}, "needs power=q.*expected 1 or more.*compound 'all'"),
    ],
)
def test_settings_that_make_no_sense_are_refused_all_at_once(strategy, given, message):
    with pytest.raises(ValueError, match=message):
        DrawSettings(strategy, **given)


def test_every_setting_shows_in_the_name():
    assert DrawSettings("class_balanced").file_name() == "class_balanced-e3-s0"
    assert DrawSettings("power", power=0.25).file_name(fold=1) == "power-q0.25-e3-s0-fold1"
    grouped = DrawSettings("natural", group_by="subject", group_cap=0.25, replacement=True, compound="joint")
    assert grouped.file_name(2) == "natural-e3-s0-fold2-by_subject-cap0.25-replacement-joint"
    plain = DrawSettings("natural")
    changed = [
        DrawSettings("class_balanced"), DrawSettings("natural", epochs=4), DrawSettings("natural", seed=1),
        DrawSettings("natural", epoch_size=9), DrawSettings("power", power=0.5),
        DrawSettings("effective_number", beta=0.9), DrawSettings("repeat_factor", threshold=0.1),
        DrawSettings("natural", replacement=True), DrawSettings("natural", group_by="subject", group_cap=0.25),
        DrawSettings("natural", group_by="source", group_cap=0.25), DrawSettings("natural", compound="joint"),
    ]  # fmt: skip
    differing = {
        f.name for f in fields(DrawSettings) for one in changed if getattr(one, f.name) != getattr(plain, f.name)
    }
    assert differing == {f.name for f in fields(DrawSettings)}
    names = {plain.file_name(), plain.file_name(fold=2), *(one.file_name() for one in changed)}
    assert len(names) == 2 + len(changed)


def test_manifests_on_disk_keep_their_names_and_digests():
    """Prepared data must be found again by a later version."""
    clips = [
        Clip(f"{label}{i}", "p", label, labels=(label,) if i % 3 else (label, "anger"), subject=f"s{i % 4}")
        for label, n in (("happiness", 20), ("anger", 12), ("fear", 7), ("disgust", 3))
        for i in range(n)
    ]
    every = [DrawSettings(name, **own, **more) for name in STRATEGIES for own in _owns(name) for more in MORE]
    names = "\n".join(settings.file_name(fold) for settings in every for fold in (None, 3))
    assert sha256(names.encode()).hexdigest() == "ce6ac9b92e72af48f2339b86230f0f76c1a65c2fa44466b0b429a7fb0607b073"
    for capped, wanted in (
        (False, "6517af067cfd0a1369e479c4c548e13b64fee403379959140ed6fd2d89c34813"),
        (True, "9124deee0ca35d7964d9e0375d21ebc3745c42a6c328995de03b50aa9c7ea32b"),
    ):
        chosen = [settings for settings in every if (settings.group_by is not None) == capped]
        digests = "\n".join(build_manifest(clips, settings).digest for settings in chosen)
        assert sha256(digests.encode()).hexdigest() == wanted


def _owns(strategy):
    """With the strategy's own setting, and without where it has a default."""
    return [{}, OWN[strategy]] if strategy in ("effective_number", "repeat_factor") else [OWN.get(strategy, {})]
