"""Events in Chinese: every unit and region has words, and the facts are those of the English text."""

from __future__ import annotations

import re

import pytest

from emotrain.context import facs_words_zh as zh
from emotrain.context.facs_words import PHRASES, describe, phrase
from emotrain.context.leakage import find_leaks
from emotrain.context.motion_backend import MotionSummarizer
from emotrain.motion.face_regions import REGIONS
from emotrain.records import Event


def test_every_unit_and_region_has_words_and_none_names_an_emotion() -> None:
    assert set(zh.PHRASES) == set(PHRASES)
    assert phrase("L12", "zh") == "左侧嘴角上扬"
    for region in REGIONS:
        text = describe([Event(0.1, 0.2, 0.3, (region,), (), 9.0)], language="zh")
        assert not re.search("[A-Za-z]", text)
        assert not find_leaks(text)
    assert not any(find_leaks(words) for words in zh.PHRASES.values())


def test_the_facts_are_the_same_in_both_languages() -> None:
    event = Event(0.53, 0.67, 0.87, ("left inner brow",), ("1", "R14"), 14.0)
    assert (
        describe([event], language="zh") == "0.53-0.87 秒：强烈：眉内侧上扬、右侧嘴角收成酒窝（短暂，顶点 0.67 秒）。"
    )
    numbers = [re.findall(r"\d+\.\d+", describe([event], cuts_s=[0.9], language=language)) for language in ("en", "zh")]
    assert numbers[0] == numbers[1]
    assert describe([], language="zh") == "无可见变化。"


def test_an_unknown_language_is_refused_and_a_known_one_changes_the_fingerprint() -> None:
    with pytest.raises(ValueError, match=r"language 'de'; known: en, zh"):
        MotionSummarizer(language="de")
    assert MotionSummarizer(language="zh").settings() != MotionSummarizer().settings()
