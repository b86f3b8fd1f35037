"""Free-text replies: the golden file, and what holds for every reply."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.emotions import ALIASES, LABEL_SETS, label_set
from emotrain.metrics.free_text import AMBIGUOUS, UNPARSED, score_reply
from emotrain.metrics.mentions import named

GOLDEN = [json.loads(line) for line in (Path(__file__).parent / "replies.jsonl").read_text("utf-8").splitlines()]
TRICKY = [json.loads(line) for line in (Path(__file__).parent / "tricky_replies.jsonl").read_text("utf-8").splitlines()]
MAFW = LABEL_SETS["mafw"].labels


def test_the_golden_file_covers_every_kind_of_reply() -> None:
    assert len(GOLDEN) >= 300
    kinds = {row["kind"] for row in GOLDEN}
    assert {"sentence", "JSON", "several labels", "negation", "refusal", "Chinese", "empty", "marked answer"} <= kinds
    assert {row["expected"] for row in GOLDEN} >= {*MAFW, AMBIGUOUS, UNPARSED}


@pytest.mark.parametrize("row", GOLDEN, ids=[f"{n}-{row['kind']}" for n, row in enumerate(GOLDEN)])
def test_golden_reply(row: dict[str, str]) -> None:
    assert score_reply(row["reply"], label_set(row["labels"]).labels) == row["expected"]


def verdict_of(row: dict[str, str]) -> str:
    return score_reply(row["reply"], label_set(row.get("labels", "dfew")).labels)


def test_no_reply_that_declines_denies_or_speaks_of_something_else_is_a_hit() -> None:
    tricky = [row for row in TRICKY if row["expected"] is None]
    assert len(tricky) > 900
    assert {row["reply"]: hit for row in tricky if (hit := verdict_of(row)) not in (AMBIGUOUS, UNPARSED)} == {}


def test_nearly_every_stated_answer_is_read_and_none_is_read_as_another_label() -> None:
    stated = [row for row in TRICKY if row["expected"] is not None]
    missed = {row["reply"]: verdict for row in stated if (verdict := verdict_of(row)) != row["expected"]}
    assert {reply: verdict for reply, verdict in missed.items() if verdict in MAFW} == {}
    assert len(missed) <= 0.03 * len(stated), missed


@pytest.mark.parametrize("label", MAFW)
def test_every_alias_alone_names_its_label_and_negated_names_none(label: str) -> None:
    for word in (label, *ALIASES[label]):
        assert score_reply(word, MAFW) == label
        assert score_reply(word.upper() + ".", MAFW) == label
        if word.isascii():
            assert score_reply(f"The person is not {word}.", MAFW) == UNPARSED


@given(st.permutations(MAFW), st.integers(min_value=2, max_value=11))
@settings(deadline=None, max_examples=25)
def test_naming_several_labels_is_never_a_hit(order: list[str], n: int) -> None:
    assert score_reply(", ".join(order[:n]), MAFW) == AMBIGUOUS
    assert named(" and ".join(order[:n]), MAFW) == order[:n]


@given(st.text(max_size=200))
@settings(deadline=None, max_examples=150)
def test_any_text_gets_a_verdict_and_never_a_default(reply: str) -> None:
    verdict = score_reply(reply, MAFW)
    assert verdict in (*MAFW, AMBIGUOUS, UNPARSED)
    if verdict in MAFW:
        assert any(word in reply.lower() or not reply.isascii() for word in (verdict, *ALIASES[verdict]))


def test_labels_of_a_custom_set_are_matched_whole() -> None:
    labels = ("anger_disgust", "anger", "day dream")
    assert score_reply("It is anger_disgust.", labels) == "anger_disgust"
    assert score_reply("anger disgust", labels) == "anger_disgust"
    assert score_reply("pure anger", labels) == "anger"
    assert score_reply("a Day-Dream", labels) == "day dream"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("[" * 60_000 + "]", UNPARSED),
        ("[" * 5_000 + '"anger"' + "]" * 5_000, "anger"),
        ('{"confidence": ' + "1" * 5_000 + ', "emotion": "anger"}', "anger"),
        ('{"' * 30_000 + "anger", UNPARSED),
        ("not " * 20_000 + "angry", UNPARSED),
        ("angry, " * 20_000, "anger"),
        ("\n" * 60_000 + "Emotion: anger", "anger"),
    ],
)
def test_a_runaway_reply_is_read_like_any_other(reply: str, expected: str) -> None:
    """Brackets beyond the recursion limit and integers beyond Python's limit of digits are text, not a failed file."""
    assert score_reply(reply, MAFW) == expected


@pytest.mark.parametrize("label", MAFW)
def test_a_stated_answer_outside_the_set_never_falls_back_to_the_reasoning(label: str) -> None:
    for answer in ("Answer: boredom", "The answer is boredom.", "<answer>boredom</answer>", '{"emotion": "boredom"}'):
        assert score_reply(f"At first there is some {label}. {answer}", MAFW) == UNPARSED
