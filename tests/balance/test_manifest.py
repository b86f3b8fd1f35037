"""Manifests: a pure function of their inputs, fair within and across epochs, verified when read."""

import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from emotrain.atomic_files import write_table
from emotrain.balance.draw_settings import STRATEGIES, DrawSettings
from emotrain.balance.draws import capped_shares, too_few
from emotrain.balance.manifest import (
    ManifestError,
    build_manifest,
    check_against,
    check_settings,
    clips_digest,
    over_cap_in_words,
    read_manifest,
    write_manifest,
)
from emotrain.balance.strategies import class_shares
from emotrain.records import DRAWS, Clip

OWN = {"power": {"power": 0.25}}


def clips_of(counts, **more):
    return [
        Clip(f"{label}-{i:04d}", f"{label}/{i}.mp4", label, **more) for label, n in counts.items() for i in range(n)
    ]


def drawn(clips, strategy, **more):
    return build_manifest(clips, DrawSettings(strategy, **more))


COUNTS = st.dictionaries(st.sampled_from(["anger", "fear", "disgust", "contempt"]), st.integers(1, 30), min_size=1)
CASES = st.tuples(COUNTS, st.sampled_from(STRATEGIES), st.integers(2, 4), st.integers(1, 80), st.integers(0, 9))


def built(case, **more):
    counts, strategy, epochs, size, seed = case
    return drawn(clips_of(counts), strategy, epochs=epochs, seed=seed, epoch_size=size, **OWN.get(strategy, {}), **more)


@settings(deadline=None, max_examples=60)
@given(CASES)
def test_every_clip_of_a_class_is_drawn_before_any_repeats_within_an_epoch(case):
    manifest = built(case)
    for epoch in range(manifest.epochs):
        seen = {label: Counter() for label in case[0]}
        for draw in manifest.epoch(epoch):
            counts = seen[draw.label]
            if counts[draw.clip_id] > 0:
                assert len(counts) == case[0][draw.label]
                assert counts[draw.clip_id] == min(counts.values())
            counts[draw.clip_id] += 1


@settings(deadline=None, max_examples=60)
@given(CASES)
def test_over_all_epochs_clips_of_a_class_differ_by_one_draw_at_most(case):
    draws = Counter(draw.clip_id for draw in built(case).draws)
    for label, n in case[0].items():
        times = [draws[f"{label}-{i:04d}"] for i in range(n)]
        assert max(times) - min(times) <= 1


@settings(deadline=None, max_examples=60)
@given(CASES)
def test_without_replacement_each_class_gets_its_share_to_within_one_draw(case):
    counts, strategy, epochs, size, _ = case
    manifest = built(case)
    for epoch in range(epochs):
        shares = class_shares(counts, DrawSettings(strategy, epochs, **OWN.get(strategy, {})), epoch)
        draws = Counter(draw.label for draw in manifest.epoch(epoch))
        assert draws.total() == size
        assert all(abs(draws[label] - share * size) < 1 + 1e-6 for label, share in shares.items())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_with_replacement_class_shares_lie_within_binomial_bounds(strategy):
    counts = {"happiness": 300, "fear": 60, "disgust": 12}
    clips, size, own = clips_of(counts), 4000, OWN.get(strategy, {})
    manifest = drawn(clips, strategy, epochs=2, seed=5, epoch_size=size, replacement=True, **own)
    for epoch in range(2):
        shares = class_shares(counts, DrawSettings(strategy, 2, **own), epoch)
        for label, share in shares.items():
            draws = manifest.header["draws_per_class"][label][epoch]
            # 42 two-sided tests in all: a level of 1e-4 each would fail a right sampler in one seed out of 240.
            assert binomtest(draws, size, share).pvalue > 1e-4, (label, draws, share * size)
    # Draws are independent: unlike a dealt deck, 2 x 4000 of them hit some clip of the rarest class unevenly.
    times = Counter(draw.clip_id for draw in manifest.draws if draw.label == "disgust")
    assert max(times.values()) - min(times.values()) > 1


def test_tiny_epochs_still_give_each_class_its_share_on_average():
    counts = {"a": 50, "b": 30, "c": 15, "d": 5}
    epochs = 3000
    manifest = drawn(clips_of(counts), "natural", epochs=epochs, seed=0, epoch_size=1)
    for label, n in counts.items():
        draws = sum(manifest.header["draws_per_class"][label])
        assert binomtest(draws, epochs, n / 100).pvalue > 1e-4, (label, draws)


@settings(deadline=None, max_examples=30)
@given(CASES, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_the_clips_given_does_not_matter(case, rng, replacement):
    counts, strategy, epochs, size, seed = case
    clips = clips_of(counts)
    shuffled = rng.sample(clips, len(clips))
    arguments = {"epochs": epochs, "seed": seed, "epoch_size": size, "replacement": replacement}
    one = drawn(clips, strategy, **arguments, **OWN.get(strategy, {}))
    other = drawn(shuffled, strategy, **arguments, **OWN.get(strategy, {}))
    assert one == other
    assert one.digest == other.digest


def test_the_digest_is_the_one_written_down_here():
    clips = clips_of({"happiness": 20, "fear": 7, "contempt": 3})
    assert drawn(clips, "square_root", epochs=2, seed=7).digest == (
        "5b4fb11154f9ad057f6afddde73da56b822d9661c01410d8aa488e63ef8d424f"
    )
    subjects = [replace(clip, subject=str(i % 4)) for i, clip in enumerate(clips)]
    grouped = drawn(subjects, "effective_number", epochs=2, seed=7, replacement=True, group_by="subject", group_cap=0.3)
    assert grouped.digest == "e162f5a19a9072298e0f626207f86b709ada84b5e7c5d41cf7223fd1f296c030"


def test_another_process_with_another_hash_seed_builds_the_same_manifest():
    code = (
        "from emotrain.records import Clip; from emotrain.balance.manifest import build_manifest\n"
        "clips = {Clip(f'{l}{i}', 'p', l) for l, n in (('a', 9), ('b', 4)) for i in range(n)}\n"
        "from emotrain.balance.draw_settings import DrawSettings\n"
        "print(build_manifest(list(clips), DrawSettings('class_balanced', epochs=2, seed=3)).digest)"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 64


@pytest.mark.parametrize("change", [{"seed": 1}, {"epochs": 3}, {"epoch_size": 29}, {"replacement": True}])
def test_every_setting_changes_the_digest(change):
    clips = clips_of({"happiness": 20, "fear": 7, "contempt": 3})
    arguments = {"epochs": 2, "seed": 0}
    base = drawn(clips, "class_balanced", **arguments)
    assert drawn(clips, "class_balanced", **(arguments | change)).digest != base.digest
    assert drawn(clips, "natural", **arguments).digest != base.digest
    relabelled = [replace(clips[0], label="fear"), *clips[1:]]
    assert drawn(relabelled, "class_balanced", **arguments).digest != base.digest


def test_epochs_differ_and_no_class_comes_in_blocks():
    manifest = drawn(clips_of({"a": 100, "b": 100}), "natural", epochs=2, seed=0)
    first, second = ([draw.clip_id for draw in manifest.epoch(epoch)] for epoch in range(2))
    assert sorted(first) == sorted(second)
    assert first != second
    runs = sum(one[0] != two[0] for one, two in pairwise(first))
    assert 70 < runs < 130  # 100 +- 7 changes of class in a random order, 1 in blocks


def test_no_subject_gets_more_than_its_cap_of_a_class():
    rare = [Clip(f"r{i}", "p", "fear", subject="loud" if i < 40 else f"s{i % 5}") for i in range(50)]
    even = [Clip(f"e{i}", "p", "anger", subject=f"s{i % 10}") for i in range(100)]
    plain = drawn(rare + even, "class_balanced", epochs=3, seed=0, epoch_size=100)
    capped = drawn(rare + even, "class_balanced", epochs=3, seed=0, epoch_size=100, group_by="subject", group_cap=0.25)
    subject = {clip.clip_id: clip.subject for clip in rare + even}

    def loud(manifest):
        return sum(subject[draw.clip_id] == "loud" for draw in manifest.draws)

    assert loud(plain) == pytest.approx(0.8 * 150, abs=3)
    assert loud(capped) == pytest.approx(0.25 * 150, abs=3)
    assert capped.header["draws_per_class"] == plain.header["draws_per_class"]
    # Within each subject the deck still deals every clip before any repeats; a class under the cap stays in one piece.
    for epoch in range(3):
        draws = Counter(draw.clip_id for draw in capped.epoch(epoch))
        for name in {"loud", "s0", "s1", "s2", "s3", "s4"}:
            times = [draws[clip.clip_id] for clip in rare if clip.subject == name]
            assert max(times) - min(times) <= 1
        assert set(Counter(d.clip_id for d in capped.epoch(epoch) if d.label == "anger").values()) == {1}


@pytest.mark.parametrize("counts", [{"only": 10}, {"many": 9, "one": 1}])
def test_a_class_with_too_few_subjects_for_the_cap_keeps_their_shares_and_is_named(counts):
    rare = [Clip(f"{name}{i}", "p", "fear", subject=name) for name, n in counts.items() for i in range(n)]
    common = [Clip(f"e{i}", "p", "anger", subject=f"s{i % 10}") for i in range(90)]
    manifest = drawn(rare + common, "class_balanced", epochs=2, group_by="subject", group_cap=0.25)
    for epoch in range(2):
        draws = Counter(draw.clip_id for draw in manifest.epoch(epoch) if draw.label == "fear")
        assert set(draws.values()) == {5}, "50 draws of 10 clips: none is drawn more often than another"
    largest = max(counts.values()) / 10
    assert manifest.header["over_cap"] == {"fear": largest}
    (line,) = over_cap_in_words(manifest)
    assert line.startswith("fear: too few groups by subject for a cap of 25%; they are drawn by their clips")
    assert line.endswith(f"the largest with {largest:.0%}")
    within = drawn(common, "natural", group_by="subject", group_cap=0.25)
    assert (within.header["over_cap"], over_cap_in_words(within)) == ({}, [])
    assert over_cap_in_words(drawn(rare, "natural")) == []


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.floats(0.01, 0.99))
def test_no_group_is_raised_above_the_cap_and_its_own_share(sizes, cap):
    if too_few(len(sizes), cap):
        with pytest.raises(ValueError, match="at most each"):
            capped_shares(dict(enumerate(sizes)), cap)
        cap = 1.0  # what is drawn then: clips count alike
    shares = capped_shares(dict(enumerate(sizes)), cap)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert all(share <= max(cap, sizes[group] / sum(sizes)) + 1e-9 for group, share in shares.items())


def test_unknown_subjects_are_not_lumped_together():
    clips = [Clip(f"u{i}", "p", "fear") for i in range(30)] + [
        Clip(f"k{i}", "p", "fear", subject="x") for i in range(30)
    ]
    manifest = drawn(clips, "natural", epochs=4, seed=1, group_by="subject", group_cap=0.2)
    assert sum(draw.clip_id.startswith("u") for draw in manifest.draws) == pytest.approx(0.8 * 240, abs=4)


def test_compound_clips_count_as_asked():
    clips = [
        *(Clip(f"a{i}", "p", "anger", labels=("anger",)) for i in range(60)),
        *(Clip(f"d{i}", "p", "disgust", labels=("disgust",)) for i in range(10)),
        *(Clip(f"ad{i}", "p", "anger", labels=("anger", "disgust")) for i in range(20)),
    ]
    sizes = {
        kind: drawn(clips, "class_balanced", epochs=1, seed=0, compound=kind).header["clips_per_class"]
        for kind in ("label", "rarest", "joint")
    }
    assert sizes == {
        "label": {"anger": 80, "disgust": 10},
        "rarest": {"anger": 60, "disgust": 30},
        "joint": {"anger": 60, "anger_disgust": 20, "disgust": 10},
    }
    joint = drawn(clips, "class_balanced", epochs=1, seed=0, compound="joint")
    assert joint.header["draws_per_class"] == {"anger": [30], "anger_disgust": [30], "disgust": [30]}
    # A draw's label stays the clip's own, whatever the clip counts as.
    assert joint.label_counts(["fear", "disgust", "anger"]) == {"fear": 0, "disgust": 30, "anger": 60}
    with pytest.raises(ValueError, match="draws the label 'disgust'"):
        joint.label_counts(["anger"])


def test_a_written_manifest_reads_back_equal_and_both_files_are_plain(tmp_path):
    manifest = drawn(clips_of({"a": 9, "b": 3}), "repeat_factor", epochs=2, seed=4, epoch_size=24)
    path = write_manifest(manifest, tmp_path / "m-0.25")
    assert path == tmp_path / "m-0.25.parquet"
    assert read_manifest(path) == manifest
    assert pq.read_table(path).schema.equals(DRAWS)
    header = json.loads((tmp_path / "m-0.25.json").read_text())
    assert header["sha256"] == manifest.digest
    assert header["settings"]["threshold"] == 0.5  # the default in force is written down
    assert header["distinct_clips_per_class"] == {"a": [9, 9], "b": [3, 3]}
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["m-0.25.json", "m-0.25.parquet"]


def test_a_changed_draw_or_header_is_noticed(tmp_path):
    manifest = drawn(clips_of({"a": 9, "b": 3}), "natural", epochs=2, seed=4)
    path = write_manifest(manifest, tmp_path / "m.parquet")
    table = pq.read_table(path)
    write_table(table.slice(1), path)
    with pytest.raises(ManifestError, match="delete it and draw it again with `emotrain prep RECIPE --stage manifest`"):
        read_manifest(path)
    write_table(table, path)
    assert read_manifest(path) == manifest
    header = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(header | {"seed": 5}))
    with pytest.raises(ManifestError, match="sha256"):
        read_manifest(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(FileNotFoundError, match="draw it with `emotrain prep RECIPE --stage manifest`"):
        read_manifest(path)


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_half_a_file_is_named_with_the_remedy(tmp_path, suffix):
    path = write_manifest(drawn(clips_of({"a": 9, "b": 3}), "natural", epochs=2, seed=4), tmp_path / "m.parquet")
    broken = path.with_suffix(suffix)
    for content in (broken.read_bytes()[: broken.stat().st_size // 2], b"", '{"strategy": "naïve"'.encode("latin-1")):
        broken.write_bytes(content)
        with pytest.raises(ManifestError, match=rf"m\{suffix}: .*delete it and draw it again"):
            read_manifest(path)


def test_a_manifest_of_other_settings_under_the_name_is_refused(tmp_path):
    wanted = DrawSettings("class_balanced", epochs=1, epoch_size=16)
    other = build_manifest(clips_of({"a": 9, "b": 3}), DrawSettings("natural", epochs=3, seed=77))
    with pytest.raises(
        ManifestError, match=r"epochs 3 there, 1 now; seed 77 there, 0 now; epoch_size 12 there, 16 now"
    ):
        check_settings(other, wanted, tmp_path / f"{wanted.file_name()}.parquet")
    for strategy in ("effective_number", "repeat_factor", "natural"):
        settings = DrawSettings(strategy, epochs=2)
        path = write_manifest(build_manifest(clips_of({"a": 9, "b": 3}), settings), tmp_path / strategy)
        check_settings(read_manifest(path), settings, path)  # defaults in force count as said
        with pytest.raises(ManifestError, match="replacement False there, True now"):
            check_settings(read_manifest(path), replace(settings, replacement=True), path)


def test_clips_that_do_not_match_are_named():
    clips = clips_of({"a": 9, "b": 3})
    manifest = drawn(clips, "natural", epochs=1, seed=0)
    check_against(manifest, clips)
    check_against(manifest, random.Random(0).sample(clips, len(clips)))
    check_against(manifest, [*clips, Clip("more", "p", "a")])
    with pytest.raises(ManifestError, match=r"2 drawn clips are missing, first 'a-0000'"):
        check_against(manifest, clips[2:])
    with pytest.raises(ManifestError, match=r"1 labels changed, first 'a-0004' from 'a' to 'b'"):
        check_against(manifest, [replace(clip, label="b") if clip.clip_id == "a-0004" else clip for clip in clips])
    assert clips_digest(clips) != clips_digest(clips[1:])


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([], "no clips to draw from"),
        ([Clip("x", "p", "a", source="s")] * 2, "'x' occurs more than once"),
        (clips_of({"a": 3}, subject="s"), "no clip has a source"),
    ],
)
def test_clips_that_cannot_be_drawn_from_are_refused(clips, message):
    with pytest.raises(ValueError, match=message):
        drawn(clips, "natural", group_by="source", group_cap=0.2)


def test_a_write_killed_with_signal_9_leaves_the_old_manifest_whole(tmp_path):
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from emotrain.balance.draw_settings import DrawSettings; from emotrain.records import Clip\n"
        "from emotrain.balance.manifest import build_manifest, write_manifest\n"
        "import pyarrow.parquet as pq\n"
        "clips = [Clip(str(i), f'{i}.mp4', 'ab'[i % 2]) for i in range(10)]\n"
        "write = pq.write_table\n"
        "def half(table, where, **options):\n"
        "    write(table, where, **options); os.truncate(where, Path(where).stat().st_size // 2)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "if sys.argv[2] == 'killed': pq.write_table = half\n"
        "settings = DrawSettings('natural', epochs=1, seed=int(sys.argv[3]))\n"
        "write_manifest(build_manifest(clips, settings), Path(sys.argv[1]))\n"
    )
    path = tmp_path / "m.parquet"

    def run(how, seed):
        return subprocess.run([sys.executable, "-c", script, str(path), how, str(seed)]).returncode

    assert run("whole", 0) == 0
    digest = read_manifest(path).digest
    assert run("killed", 1) == -9
    assert read_manifest(path).digest == digest
    assert run("whole", 1) == 0
    assert read_manifest(path).digest != digest
