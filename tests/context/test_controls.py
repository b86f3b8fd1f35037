"""Controls change exactly what they say: donors, order, filler, budget, faults, trajectory."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.context.budget import fit_budget
from emotrain.context.controls import Controls, controlled
from emotrain.context.corruption import FAULTS, LOWER, UPPER, corrupt
from emotrain.context.donors import Donors, Lender, lend
from emotrain.context.facs_words import describe
from emotrain.context.rearrange import filler, reorder, static_text
from emotrain.context.training_faults import TrainingFaults, with_faults
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


def busy(clip_id: str = "a") -> list[Summary]:
    """A change of its own in every gap, told in words, and a cut in gap 2."""
    summaries = []
    for k, unit in enumerate(("1", "4", "12", "17", "26")):
        start_s = k / 2
        event = Event(start_s + 0.05 + k / 100, start_s + 0.2, start_s + 0.4, ("chin",), (unit,), 9.0)
        text = describe([event], cuts_s=[1.45] if k == 2 else [])
        summaries.append(Summary(clip_id, k, start_s, start_s + 0.5, text, True, "motion", (event,)))
    return summaries


def stated(text: str) -> list[float]:
    """Every time that a text states, in seconds."""
    return [float(found) for found in re.findall(r"\d+\.\d\d", text)]


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


def test_any_donor_says_nothing_of_the_label_and_another_class_says_it_all_of_two() -> None:
    lenders = [Lender(f"c{n}", ("fear", "joy")[n % 2], "test") for n in range(1000)]
    labels = {lender.clip_id: lender.label for lender in lenders}
    donors = Donors(lenders)
    same = {
        relation: sum(labels[donors.donor(clip_id, relation)] == label for clip_id, label in labels.items()) / 1000
        for relation in ("any", "other_class")
    }
    assert same["other_class"] == 0.0
    assert same["any"] == pytest.approx(0.5, abs=0.05)


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
    mine = clip("x-fear-0", "brows lower.", "")
    got = lend(mine, clip("x-joy-0", "jaw drops."))
    assert [(s.clip_id, s.gap, s.start_s, s.end_s) for s in got] == [
        (s.clip_id, s.gap, s.start_s, s.end_s) for s in mine
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


@pytest.mark.parametrize("change", ["reversed", "shuffled", "time"])
def test_words_that_move_state_times_of_the_gap_they_moved_to(change: str) -> None:
    before = busy()
    after = corrupt(before, "time", 1.0) if change == "time" else reorder(before, change)  # type: ignore[arg-type]
    units = [s.events[0].action_units for s in before]
    assert sorted(s.events[0].action_units for s in after) == sorted(units)
    assert [s.events[0].action_units for s in after] != units
    for s in after:
        assert all(s.start_s <= time_s <= s.end_s for time_s in stated(s.text)), s.text
        assert s.start_s <= s.events[0].onset_s < s.events[0].apex_s < s.events[0].offset_s <= s.end_s
    (cut,) = [s for s in after if "cut to another shot" in s.text]
    assert cut.events[0].action_units == ("12",)
    assert stated(cut.text)[-1] - cut.start_s == pytest.approx(0.45)


def test_a_moved_apex_stays_in_a_shorter_gap_and_its_event_in_the_clip() -> None:
    first = replace(busy()[0], end_s=2.0, events=(Event(1.5, 1.7, 1.95, ("chin",), ("17",), 9.0),))
    last = Summary("a", 1, 2.0, 2.1, "no visible change.", False, "motion")
    (moved,) = reorder([first, last], "reversed")[1].events
    assert (moved.onset_s, moved.apex_s, moved.offset_s) == (pytest.approx(1.9), pytest.approx(2.1), pytest.approx(2.1))


@pytest.mark.parametrize("empty", [[], [Summary("a", 0, 0.0, 0.0, "never shown", False, "motion")]], ids=["one", "two"])
def test_the_words_of_an_only_gap_are_told_at_the_wrong_half_of_it(empty: list[Summary]) -> None:
    for onset_s, wrong_s in ((0.3, 2.3), (2.8, 0.8)):
        event = Event(onset_s, onset_s + 0.1, onset_s + 0.2, ("chin",), ("17",), 9.0)
        gap = Summary("a", 1, 0.0, 4.0, describe([event], cuts_s=[3.0]), True, "motion", (event,))
        now = corrupt([*empty, gap], "time", 1.0)[-1]
        assert now.events[0].apex_s == pytest.approx(wrong_s + 0.1)
        assert f"{wrong_s:.2f}-{wrong_s + 0.2:.2f} s: chin rises" in now.text
        assert "1.00 s: cut" in now.text


def test_lent_words_state_times_of_the_borrowers_gaps() -> None:
    mine = [replace(s, start_s=2 * s.start_s, end_s=2 * s.end_s) for s in clip("mine", "", "", "", "", "")]
    for s, theirs in zip(lend(mine, busy("theirs")), busy("theirs")):
        assert s.start_s <= s.events[0].onset_s < s.events[0].offset_s <= s.end_s
        assert [time_s - s.start_s for time_s in stated(s.text)] == pytest.approx(
            [time_s - theirs.start_s for time_s in stated(theirs.text)]
        )
    assert [s.text for s in lend(busy("mine"), busy("theirs"))] == [s.text for s in busy()]


def test_texts_without_events_move_as_they_are() -> None:
    before = clip("a", "At 0.20 s the chin rises.", "1.00 s: cut to another shot, the jaw drops.")
    assert [s.text for s in reorder(before, "reversed")] == [s.text for s in before[::-1]]


@pytest.mark.parametrize(
    "settings", [{"control": "reversed"}, {"control": "same_class"}, {"corrupt": "region"}], ids=str
)
def test_words_told_anew_are_in_the_language_of_the_prompt(settings: dict[str, str]) -> None:
    controls = Controls(**settings, corrupt_share=float("corrupt" in settings))  # type: ignore[arg-type]
    chinese = [replace(s, text=describe(s.events, language="zh")) for s in busy()]
    donors = Donors([Lender("a", "fear", "x"), Lender("b", "fear", "x")])
    got = controlled("a", lambda _: chinese, controls, donors=donors, count_tokens=words, language="zh")
    assert not re.search("[a-z]", "".join(s.text for s in got).replace(" s", ""))
    assert all("秒" in s.text for s in got)


@pytest.mark.parametrize(
    "settings", [{"control": "same_class"}, {"control": "reversed"}, {"corrupt": "swap"}, {"corrupt": "time"}], ids=str
)
def test_a_clip_without_summaries_keeps_none(settings: dict[str, str]) -> None:
    controls = Controls(**settings, corrupt_share=float("corrupt" in settings))  # type: ignore[arg-type]
    donors = Donors([Lender("b", "fear", "x"), Lender("c", "fear", "x")])  # those that have summaries to lend
    told_of = {"a": [], "b": busy("b"), "c": busy("c")}
    assert controlled("a", told_of.__getitem__, controls, donors=donors, count_tokens=words) == []


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
    many = [busy(f"clip{n}") for n in range(40)]
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


def test_training_faults_strike_the_share_of_draws_asked_for_and_each_draw_for_itself() -> None:
    faults = TrainingFaults(dropout=0.2, noise=0.3, seed=1)
    found = [faults.fault(draw) for draw in range(4000)]
    assert found == [faults.fault(draw) for draw in range(4000)]
    assert sum(fault == ("drop", 1.0) for fault in found) / 4000 == pytest.approx(0.2 + 0.3 / 12, abs=0.03)
    assert sum(fault is None for fault in found) / 4000 == pytest.approx(0.5, abs=0.03)
    assert len(set(found)) == 13, "four faults at three shares, and none"
    assert [TrainingFaults().fault(draw) for draw in range(99)] == [None] * 99
    mine, other = clip("a", "brows lower.", "chin rises."), clip("b", "jaw drops.", "lips part.")
    for draw, fault in enumerate(found[:60]):
        seen = [summary.text for summary in with_faults(mine, faults, draw, other=lambda: other)]
        if fault is None:
            assert seen == ["brows lower.", "chin rises."]
        elif fault[1] == 1.0:
            assert seen[0] != "brows lower."
    for wrong in ({"dropout": 1.1}, {"noise": -0.1}, {"dropout": 0.6, "noise": 0.6}):
        with pytest.raises(ValueError, match=r"summary_(dropout|noise)"):
            TrainingFaults(**wrong)
