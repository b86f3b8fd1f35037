"""Controls change exactly what they say: donors, order, filler, budget, faults, trajectory."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.context.budget import fit_budget
from emotrain.context.corruption import FAULTS, LOWER, UPPER, corrupt
from emotrain.context.donors import Donors, Lender, borrowed
from emotrain.context.facs_words import describe
from emotrain.context.rearrange import filler, reorder, static_text
from emotrain.context.trajectory import part_of, trajectory
from emotrain.records import Event, Summary

BROWS = Event(0.6, 0.8, 1.0, ("left inner brow", "right inner brow"), ("1", "4"), 9.0)
MOUTH = Event(1.7, 1.9, 2.4, ("left mouth corner",), ("L12",), 14.0)


def clip(clip_id: str, *texts: str) -> list[Summary]:
    """One summary a text, each half a second long; "" is a quiet gap."""
    return [
        Summary(clip_id, k, k / 2, k / 2 + 0.5, text or "no visible change.", bool(text), "motion")
        for k, text in enumerate(texts)
    ]


def told(clip_id: str = "a") -> list[Summary]:
    events = {1: (BROWS,), 3: (MOUTH,)}
    return [
        replace(summary, text=describe(events[k]), changed=True, events=events[k]) if k in events else summary
        for k, summary in enumerate(clip(clip_id, "", "", "", "", ""))
    ]


def words(text: str) -> int:
    return len(text.split())


LENDERS = [Lender(f"{part}-{label}-{n}", label, part) for part in "xy" for label in ("fear", "joy") for n in range(4)]


@pytest.mark.parametrize("relation", ["same_class", "other_class", "any"])
def test_a_donor_is_another_clip_of_the_same_part_with_the_relation_asked_for(relation: str) -> None:
    donors = Donors(LENDERS)
    for lender in LENDERS:
        part, label, _ = donors.donor(lender.clip_id, relation).split("-")  # type: ignore[arg-type]
        assert part == lender.part
        assert donors.donor(lender.clip_id, relation) != lender.clip_id  # type: ignore[arg-type]
        if relation != "any":
            assert (label == lender.label) == (relation == "same_class")


def test_donors_hang_on_clips_and_seed_not_on_their_order() -> None:
    def all_donors(lenders: list[Lender], seed: int) -> list[str]:
        donors = Donors(lenders, seed)
        return [donors.donor(lender.clip_id, "any") for lender in LENDERS]

    assert all_donors(LENDERS, 0) == all_donors(LENDERS[::-1], 0)
    assert all_donors(LENDERS, 0) != all_donors(LENDERS, 1)


def test_a_part_without_a_fitting_donor_is_an_error_that_names_the_clip() -> None:
    with pytest.raises(ValueError, match=r"'x-fear-0' .*'other_class'.*two classes"):
        Donors([lender for lender in LENDERS if lender.label == "fear"]).donor("x-fear-0", "other_class")


def test_borrowed_words_keep_the_borrowers_gaps() -> None:
    summaries = {"x-fear-0": clip("x-fear-0", "brows lower.", ""), "x-joy-0": clip("x-joy-0", "jaw drops.")}
    lenders = [Lender("x-fear-0", "fear", "x"), Lender("x-joy-0", "joy", "x")]
    got = borrowed("x-fear-0", summaries, Donors(lenders), "other_class")
    assert [(s.clip_id, s.gap, s.start_s, s.end_s) for s in got] == [
        (s.clip_id, s.gap, s.start_s, s.end_s) for s in summaries["x-fear-0"]
    ]
    assert [(s.text, s.changed) for s in got] == [("jaw drops.", True), ("", False)]


def test_reordering_moves_the_words_and_nothing_else() -> None:
    before = clip("a", "one.", "two.", "three.", "four.")
    before.insert(0, Summary("a", -1, 0.0, 0.0, "never shown", False, "motion"))
    for order in ("shuffled", "reversed"):
        after = reorder(before, order)  # type: ignore[arg-type]
        assert [(s.gap, s.start_s, s.end_s) for s in after] == [(s.gap, s.start_s, s.end_s) for s in before]
        assert after[0] == before[0]
        assert sorted(s.text for s in after) == sorted(s.text for s in before)
        assert [s.text for s in after] != [s.text for s in before]
    assert [s.text for s in reorder(before, "reversed")[1:]] == ["four.", "three.", "two.", "one."]
    assert reorder(before, "shuffled") == reorder(before, "shuffled")


def test_static_text_has_as_many_tokens_and_no_word_of_the_original() -> None:
    before = told()
    after = static_text(before, words)
    assert [words(s.text) for s in after] == [words(s.text) for s in before]
    assert not set(" ".join(s.text for s in before).split()) & set(" ".join(s.text for s in after).split()) - {"no"}
    assert not any(s.events for s in after)


def test_filler_reaches_every_length_of_the_shipped_tokenizer() -> None:
    from emotrain.modeling.loading import load_processor

    tokenizer = load_processor("tiny").tokenizer
    for length in range(40):
        text = filler(length, lambda text: len(tokenizer.encode(text, add_special_tokens=False)))
        assert len(tokenizer.encode(text, add_special_tokens=False)) == length


def test_a_tokenizer_without_filler_of_a_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="no filler of 3 tokens"):
        filler(3, lambda text: 2 * len(text.split()))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 60))
def test_a_budget_is_kept_and_the_least_informative_gap_goes_first(budget: int) -> None:
    before = told()
    after = fit_budget(before, budget, words)
    assert sum(words(s.text) for s in after) <= budget
    assert [s.gap for s in after] == [s.gap for s in before]
    shortened = {s.gap for s, was in zip(after, before) if s.text != was.text}
    if shortened & {1, 3}:
        assert all(after[gap].text == "" for gap in (0, 2, 4))
    if 3 in shortened:  # the stronger event goes last
        assert after[1].text == ""
    if budget >= sum(words(s.text) for s in before):
        assert after == before


def test_a_gap_loses_its_last_sentence_first() -> None:
    before = clip("a", "one two. three four.", "five six seven.")
    assert [s.text for s in fit_budget(before, 5, words)] == ["one two.", "five six seven."]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_larger_share_corrupts_a_superset_and_all_of_them_at_one(fault: str) -> None:
    many = [told(f"clip{n}") for n in range(40)]
    other = [replace(s, text="chin rises.", changed=True) for s in told("other")]

    def struck(share: float) -> set[tuple[str, int]]:
        return {
            (s.clip_id, s.gap)
            for before in many
            for s, was in zip(corrupt(before, fault, share, other=lambda: other), before)  # type: ignore[arg-type]
            if s != was
        }

    half = struck(0.5)
    assert struck(0.0) == set()
    assert struck(0.25) < half < struck(1.0)
    if fault in ("drop", "swap"):
        assert len(struck(1.0)) == 40 * 5
        assert 0.35 < len(half) / (40 * 5) < 0.65


def test_a_wrong_region_tells_the_other_half_of_the_face_at_the_same_times() -> None:
    for was, now in zip(told(), corrupt(told(), "region", 1.0)):
        for before, after in zip(was.events, now.events):
            assert (before.onset_s, before.apex_s, before.offset_s) == (after.onset_s, after.apex_s, after.offset_s)
            upper = {unit in UPPER for unit in before.action_units if unit.lstrip("LR") in UPPER}
            assert all(unit in (LOWER if upper else UPPER) for unit in after.action_units)
            assert now.text == describe(now.events)
        assert now.changed == was.changed


def test_regions_cannot_be_corrupted_without_events_nor_words_swapped_without_a_donor() -> None:
    with pytest.raises(ValueError, match="no events to move"):
        corrupt(clip("a", "brows lower."), "region", 1.0)
    with pytest.raises(ValueError, match="another clip"):
        corrupt(clip("a", "brows lower."), "swap", 1.0)


def test_the_trajectory_tells_order_rise_peak_and_end() -> None:
    course = trajectory(told())
    assert course is not None
    assert course.order == ("brow", "mouth")
    assert course.rise_s == pytest.approx(0.2)
    assert course.peak_s == 1.9
    assert course.relaxed_s == 2.4
    assert course.changes == 2
    held = trajectory([replace(told()[3], end_s=2.41)])
    assert held is not None
    assert held.relaxed_s is None
    assert trajectory(clip("a", "", "words without events.")) is None
    assert part_of("glabella") == "brow"
