"""Which clips are train, validation and test."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.datasets.long_tail import check_long_tail, cut_long_tail, tail_order
from emotrain.datasets.splits import assign_folds, carve_validation, folds, leave_one_subject_out, select
from emotrain.records import Clip

LABELS = ("happiness", "sadness", "disgust")


def clips_of(counts: dict[str, int], subjects: int | None = None, test_folds: int | None = 5) -> list[Clip]:
    labels = [label for label, count in counts.items() for _ in range(count)]
    return [
        Clip(
            f"c{i:04d}",
            f"{i}.mp4",
            label,
            test_fold=None if test_folds is None else 1 + i % test_folds,
            subject=None if subjects is None else f"s{i * 7 % subjects}",
        )
        for i, label in enumerate(labels)
    ]


def ids(clips: list[Clip]) -> set[str]:
    return {clip.clip_id for clip in clips}


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(LABELS), st.integers(1, 3), st.integers(0, 9)), min_size=12, max_size=80),
    st.integers(0, 5),
    st.sampled_from([0.05, 0.1, 0.25, 0.5]),
    st.booleans(),
)
def test_the_three_splits_part_the_clips_and_validation_never_comes_out_of_test(rows, seed, share, grouped):
    clips = [
        Clip(f"c{i}", f"{i}.mp4", label, test_fold=fold, subject=f"s{subject}" if grouped else None)
        for i, (label, fold, subject) in enumerate(rows)
    ]
    for fold in folds(clips):
        rest = [clip for clip in clips if clip.test_fold != fold]
        carved = carve_validation(rest, share, seed)
        shuffled = random.Random(1).sample(rest, len(rest))
        assert carved == carve_validation(shuffled, share, seed)
        assert carved <= ids(rest)
        if carved:
            parts = [
                ids(select(clips, split, fold, validation_share=share, seed=seed))
                for split in ("train", "validation", "test")
            ]
            assert sum(map(len, parts)) == len(clips)
            assert set.union(*parts) == ids(clips)
            assert parts[1] == carved
            assert parts[2] == {clip.clip_id for clip in clips if clip.test_fold == fold}


def test_validation_is_stratified_down_to_the_rarest_class():
    clips = clips_of({"happiness": 1000, "sadness": 400, "disgust": 25})
    validation = Counter(clip.label for clip in select(clips, "validation", 1))
    train = [clip for clip in clips if clip.test_fold != 1]
    for label, count in Counter(clip.label for clip in train).items():
        assert abs(validation[label] - 0.1 * count) <= 1


def test_a_subject_is_never_split_between_train_and_validation():
    clips = clips_of({"happiness": 200, "sadness": 120, "disgust": 30}, subjects=20)
    for fold in folds(clips):
        train = {clip.subject for clip in select(clips, "train", fold)}
        validation = {clip.subject for clip in select(clips, "validation", fold)}
        assert validation
        assert not train & validation


def test_many_thousand_subjects_stay_whole_and_the_share_is_met():
    clips = clips_of({"happiness": 9000, "sadness": 2900, "disgust": 100}, subjects=5000)
    train, validation = (select(clips, part, 1) for part in ("train", "validation"))
    assert not {clip.subject for clip in train} & {clip.subject for clip in validation}
    for label, count in Counter(clip.label for clip in clips if clip.test_fold != 1).items():
        assert sum(clip.label == label for clip in validation) == pytest.approx(count / 10, rel=0.3)


def test_a_source_groups_clips_whose_subject_is_unknown():
    clips = [Clip(f"c{i}", "x", LABELS[i % 3], test_fold=1 + i % 2, source=f"film {i // 6}") for i in range(120)]
    train = {clip.source for clip in select(clips, "train", 1)}
    assert not train & {clip.source for clip in select(clips, "validation", 1)}


def test_seed_and_fold_change_the_validation_part_and_nothing_else_does():
    clips = clips_of({"happiness": 200, "sadness": 100})
    first = ids(select(clips, "validation", 1))
    assert first == ids(select(clips[::-1], "validation", 1))
    assert first != ids(select(clips, "validation", 1, seed=1))
    assert first != ids(select(clips, "validation", 2))


def test_without_a_fold_the_split_column_decides():
    clips = [Clip(f"c{i}", "x", "anger", split=("train", "validation", "test")[i % 3]) for i in range(9)]
    assert [clip.clip_id for clip in select(clips, "validation")] == ["c1", "c4", "c7"]


def test_share_zero_keeps_all_clips_for_training():
    clips = clips_of({"happiness": 20, "sadness": 20})
    assert select(clips, "validation", 1, validation_share=0) == []
    assert len(select(clips, "train", 1, validation_share=0)) == 32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dev", 1), r"split 'dev': expected one of train, validation, test"),
        (("test", 9), r"fold 9: not in this index, which has 1\.\.5"),
        (("test", None), r"has no fixed split; name a fold, one of 1\.\.5"),
    ],
)
def test_a_wrong_request_names_what_the_index_has(arguments, message):
    with pytest.raises(ValueError, match=message):
        select(clips_of({"happiness": 10}), *arguments)


def test_a_fold_asked_of_fixed_splits_says_to_leave_it_out():
    with pytest.raises(ValueError, match="fixed splits and no test folds; leave the fold out"):
        select([Clip("a", "x", "anger", split="train")], "train", 1)


def test_an_empty_split_is_an_error_that_says_why():
    clips = [Clip("a", "x", "anger", test_fold=1), Clip("b", "x", "fear", test_fold=2)]
    with pytest.raises(ValueError, match="validation split of fold 1 is empty"):
        select(clips, "validation", 1)


def test_assigned_folds_are_stratified_and_keep_subjects_whole():
    clips = assign_folds(clips_of({"happiness": 100, "sadness": 50, "disgust": 10}, test_folds=None))
    counts = Counter((clip.label, clip.test_fold) for clip in clips)
    assert {counts["disgust", fold] for fold in range(1, 6)} == {2}
    assert {counts["happiness", fold] for fold in range(1, 6)} == {20}
    grouped = assign_folds(clips_of({"happiness": 100, "sadness": 50}, subjects=15, test_folds=None))
    of_subject: dict[str | None, set[int | None]] = {}
    for clip in grouped:
        of_subject.setdefault(clip.subject, set()).add(clip.test_fold)
    assert all(len(found) == 1 for found in of_subject.values())
    assert folds(grouped) == (1, 2, 3, 4, 5)


def test_leave_one_subject_out_tests_each_subject_once():
    clips = leave_one_subject_out(clips_of({"happiness": 20, "sadness": 20}, subjects=8))
    assert folds(clips) == tuple(range(1, 9))
    for fold in folds(clips):
        tested = {clip.subject for clip in select(clips, "test", fold)}
        trained = {clip.subject for clip in select(clips, "train", fold, validation_share=0)}
        assert len(tested) == 1
        assert not tested & trained
    with pytest.raises(ValueError, match="clip 'c0000' has no subject"):
        leave_one_subject_out(clips_of({"happiness": 3}))


@settings(deadline=None, max_examples=25)
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 400), min_size=2),
    st.sampled_from([2.0, 20.0, 100.0]),
    st.integers(0, 9),
)
def test_a_long_tail_falls_geometrically_in_an_order_of_the_seed_and_hangs_on_nothing_else(counts, ratio, seed):
    clips = clips_of(counts)
    kept = cut_long_tail(clips, ratio, seed)
    order = tail_order(list(counts), seed)
    sizes = Counter(clip.label for clip in kept)
    for rank, label in enumerate(order):
        wanted = max(1, round(counts[order[0]] * ratio ** (-rank / (len(order) - 1))))
        assert sizes[label] == min(wanted, counts[label])
    shuffled = random.Random(1).sample(clips, len(clips))
    assert ids(cut_long_tail(shuffled, ratio, seed)) == ids(kept)
    assert ids(cut_long_tail(clips, ratio * 2, seed)) <= ids(kept)


def test_a_long_tail_cuts_train_alone():
    clips = clips_of({"happiness": 300, "sadness": 300, "disgust": 300}, subjects=30)
    for split in ("validation", "test"):
        assert select(clips, split, 1, long_tail=20.0) == select(clips, split, 1)
    whole, cut = select(clips, "train", 1), select(clips, "train", 1, long_tail=20.0, long_tail_seed=3)
    assert ids(cut) < ids(whole)
    sizes = sorted(Counter(clip.label for clip in cut).values())
    assert sizes[-1] / sizes[0] == pytest.approx(20, rel=0.05)
    assert len(set(map(tuple, (tail_order(LABELS, seed) for seed in range(20))))) == 6


@pytest.mark.parametrize(
    ("ratio", "seed", "message"), [(1.0, 0, "above 1"), (0.5, 0, "above 1"), (None, 2, "no long_tail")]
)
def test_a_long_tail_that_cuts_nothing_is_refused(ratio, seed, message):
    with pytest.raises(ValueError, match=message):
        check_long_tail(ratio, seed)
