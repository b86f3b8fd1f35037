"""What the motion back end says: short, closed vocabulary, and never an emotion."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotrain.context.emotion_lexicon_zh import TRADITIONAL
from emotrain.context.facs_times import cuts_of
from emotrain.context.facs_words import PHRASES, QUIET, describe, vocabulary
from emotrain.context.leakage import EmotionWordFound, apply_policy, count_leaks, emotion_words, find_leaks, own_labels
from emotrain.emotions import ALIASES
from emotrain.motion.face_regions import REGIONS
from emotrain.records import Event
from emotrain.synthetic.action_units import PROTOTYPES, visible_units

UNITS = [*PHRASES, "L12", "R12", "L14", "R14"]


@given(
    units=st.lists(st.sampled_from(UNITS), unique=True),
    regions=st.lists(st.sampled_from(REGIONS), min_size=1, unique=True),
    times=st.tuples(st.floats(0, 1), st.floats(0, 3)),
    strength=st.floats(0, 40),
)
@settings(deadline=None, max_examples=200)
def test_motion_text_is_label_free(
    units: list[str], regions: list[str], times: tuple[float, float], strength: float
) -> None:
    start, length = times
    event = Event(start, start + length / 2, start + length, tuple(regions), tuple(units), strength)
    assert find_leaks(describe([event])) == []


def test_the_whole_vocabulary_is_label_free() -> None:
    assert count_leaks([*vocabulary(), *REGIONS]).total() == 0


def test_an_event_in_words() -> None:
    event = Event(0.53, 0.67, 0.87, ("right inner brow",), ("1", "15"), 6.0)
    assert describe([event]) == "0.53-0.87 s: inner brows rise, mouth corners pull down (brief, peak 0.67 s)."
    held = Event(0.5, 1.5, 2.5, ("left mouth corner",), ("L12",), 2.0)
    assert describe([held]) == "0.50-2.50 s: slightly: left mouth corner pulls up (held 2.0 s, peak 1.50 s)."
    assert describe([]) == QUIET


def test_an_event_that_is_hardly_sure_is_told_as_perhaps() -> None:
    sure = Event(0.5, 0.6, 0.8, ("chin",), ("17",), 3.0, confidence=0.9)
    assert describe([sure]) == "0.50-0.80 s: slightly: chin rises (brief, peak 0.60 s)."
    unsure = replace(sure, confidence=0.6)
    assert describe([unsure]) == "0.50-0.80 s: perhaps slightly: chin rises (brief, peak 0.60 s)."
    assert describe([unsure], language="zh") == describe([sure], language="zh").replace("轻微", "可能轻微")


def test_classes_can_be_told_from_the_words() -> None:
    import numpy as np

    from emotrain.synthetic.action_units import AUS

    said = set()
    for variants in PROTOTYPES.values():
        units = visible_units(np.array([variants[0].get(name, 0.0) for name in AUS]))
        said.add(describe([Event(0, 1, 2, ("nose",), units, 6.0)] if units else []))
    assert len(said) == len(PROTOTYPES)


@pytest.mark.parametrize("word", [word for words in ALIASES.items() if words[0] not in ("others", "negative", "positive") for word in (words[0], *words[1])])  # fmt: skip  # noqa: E501
def test_every_alias_is_found_in_a_sentence(word: str) -> None:
    sentence = f"他看起来{word}了" if not word.isascii() else f"She looks {word.upper()}, then relaxes."
    assert [leak.word.lower() for leak in find_leaks(sentence)] == [word]


def test_words_inside_words_are_no_leak() -> None:
    assert find_leaks("The made bed, a sadhu and a nomad; fearless? No: unfearing.") == []
    assert "mad" in emotion_words()


@pytest.mark.parametrize("language", ["en", "zh"])
@given(
    cuts=st.lists(st.integers(0, 9999), unique=True, max_size=4).map(sorted),
    units=st.lists(st.sampled_from(UNITS), unique=True, max_size=3),
)
@settings(deadline=None, max_examples=40)
def test_cuts_are_read_back_from_the_words(language: str, cuts: list[int], units: list[str]) -> None:
    event = Event(3.0, 3.25, 3.5, ("chin",), tuple(units), 9.0)
    cuts_s = [cut / 100 for cut in cuts]
    assert cuts_of(describe([event], cuts_s=cuts_s, language=language)) == cuts_s
    assert cuts_of(describe([], cuts_s=cuts_s, language=language)) == cuts_s


def test_a_users_own_labels_are_leaks_with_their_simple_inflections() -> None:
    own = own_labels(["limp", "tense", "tired", "Very_Happy", "放松", "1", "a", "doze", "grumpy", "joy"])
    assert own == ("1", "Very_Happy", "a", "doze", "grumpy", "limp", "tired", "放松")
    assert own_labels(["happiness", "anger", "others"]) == ()
    text = "A limp, LIMPLY tired face (1.20 s), dozing, grumpiness; very happy, 他很放鬆。 A limpet; retired."
    assert [(leak.word, leak.label) for leak in find_leaks(text, own)] == [
        ("limp", "limp"),
        ("LIMPLY", "limp"),
        ("tired", "tired"),
        ("dozing", "doze"),
        ("grumpiness", "grumpy"),
        ("very happy", "Very_Happy"),
        ("放鬆", "放松"),
    ]
    assert [leak.word for leak in find_leaks(text)] == ["grumpiness", "happy"]
    assert apply_policy("Brows lower, limply angry.", "mask", own)[0] == "Brows lower, [...] [...]."
    assert count_leaks(["limp and limpness", "sad"], own) == {"limp": 2, "sadness": 1}


def test_inflections_of_emotion_words_are_leaks() -> None:
    words = """
        angrier angriest enraging furiously maddened rageful unhappiness unhappier saddest saddening joyfulness joyous
        happily fearfulness frighten frightens terrify terrifying scaring scariest disgustedness revolting anxiousness
        worries nervously worrisome astonishes surprisedly contemptible contemptibly scornfully disappointedly
        dissatisfaction helplessly powerlessness repressing tensed neutrally expressionlessly
    """
    assert [leak.word for leak in find_leaks(words)] == words.split()


SHAVER = """
    adoration affection love fondness liking attraction caring tenderness compassion sentimentality arousal desire lust
    passion infatuation longing amusement bliss cheerfulness gaiety glee jolliness joviality joy delight enjoyment
    gladness happiness jubilation elation satisfaction ecstasy euphoria enthusiasm zeal zest excitement thrill
    exhilaration contentment pleasure pride triumph eagerness hope optimism enthrallment rapture relief amazement
    surprise astonishment aggravation irritation agitation annoyance grouchiness grumpiness exasperation frustration
    anger rage outrage fury wrath hostility ferocity bitterness hate loathing scorn spite vengefulness dislike
    resentment disgust revulsion contempt envy jealousy torment agony suffering hurt anguish depression despair
    hopelessness gloom glumness sadness unhappiness grief sorrow woe misery melancholy dismay disappointment displeasure
    guilt shame regret remorse alienation isolation neglect loneliness rejection homesickness defeat dejection
    insecurity embarrassment humiliation insult pity sympathy alarm shock fear fright horror terror panic hysteria
    mortification anxiety nervousness tenseness uneasiness apprehension worry distress dread
"""
"""The 135 emotion words of Shaver et al. (1987), figure 1."""


def test_every_emotion_word_of_shaver_and_others_is_a_leak() -> None:
    assert len(SHAVER.split()) == 135
    assert [word for word in SHAVER.split() if not find_leaks(f"He shows {word}.")] == []


EVERYDAY = """
    amused grinning tearful crying upset annoyed scowling shocked startled amazed horrified panicked smirking sneering
    uneasy hopeless discouraged delightful delightfully fearsome joyless weeping sobbing laughing smiling frowning
    irritatedly seething glum downcast petrified aghast stunned repulsed haughtily mocking jittery apprehensive
    despairing disheartened disillusioned expressionless deadpan bored puzzled ashamed jealous
    伤心 恼火 震惊 惊恐 恶心 鄙视 不屑 担忧 沮丧 绝望 喜悦 愉快 面无表情
    傷心 惱火 震驚 驚恐 噁心 鄙視 不屑 擔憂 沮喪 絕望 喜悅 愉快 面無表情 憤怒 緊張
"""


@pytest.mark.parametrize("word", EVERYDAY.split())
def test_everyday_words_are_leaks_in_latin_simplified_and_traditional_letters(word: str) -> None:
    sentence = f"She looks {word} now." if word.isascii() else f"她看起来{word}。"
    assert [leak.word for leak in find_leaks(sentence)] == [word]


OF_MUSCLES = """
    tense lips | Tension around the eyes. | The lips are slightly tense. | tightened, tense lips | The jaw is tensed.
    | tensing of the lower lids | muscle tension builds | lips pressed tensely together | Lip corners are depressed.
    | neutral head pose | The mouth returns to neutral. | brows remain neutral | back to the neutral position
    | from neutral, the brows rise | against a neutral background | irritated skin | The eyes look irritated.
    | sadly the video is dark | Sadly, the frames are blurred. | a surprisingly quick movement | gloomy lighting
    | smile lines deepen | the content of the frame | each lid moves in isolation | I hope this helps.
    | 嘴唇紧张 | 眼睑略微紧张 | 緊張的嘴唇 | 肌肉紧张 | 回到中性 | 画面平静
"""
OF_PEOPLE = """
    looks tense | tense expression | she is tense, lips pressed | The face looks tense. | a neutral face
    | returns to a neutral expression | irritated look | seems irritated | smiles sadly | surprisingly happy
    | looks content | blank stare | 神情紧张 | 他很緊張 | 恢复中性表情
"""


@pytest.mark.parametrize("text", [text.strip() for text in OF_MUSCLES.split("|")])
def test_what_is_said_of_muscles_poses_and_pictures_is_no_leak(text: str) -> None:
    assert find_leaks(text) == []


@pytest.mark.parametrize("text", [text.strip() for text in OF_PEOPLE.split("|")])
def test_the_same_words_said_of_a_person_are(text: str) -> None:
    assert len(find_leaks(text)) >= 1


def test_the_traditional_characters_stand_for_one_simplified_each() -> None:
    assert all(len(one) == len(other) == 1 and one != other for one, other in TRADITIONAL.items())


def test_words_of_the_face_are_no_inflections() -> None:
    text = (
        "The brows lower and draw together; lower lids tighten, the jaw drops slightly, lips press and part. The open "
        "mouth widens, cheeks rise higher, the nose wrinkles, the gaze shifts, the content of the frame is the same."
    )
    assert find_leaks(text) == []
    assert find_leaks(text, ["low", "high"]) == [], "comparison is left to emotion words"


def test_policies_drop_mask_and_fail() -> None:
    text = "Brows lower; he looks angry."
    assert apply_policy(text, "drop")[0] == ""
    assert apply_policy(text, "mask")[0] == "Brows lower; he looks [...]."
    with pytest.raises(EmotionWordFound, match=r"angry.*anger"):
        apply_policy(text, "fail")
    assert apply_policy("brows lower", "fail") == ("brows lower", [])
