"""Where a word of emotion names none: FACS and the picture use some of the same words for muscles, poses and light.

"Tense lips", "tension around the eyes", "neutral head pose", "returns to neutral", "irritated skin", "sadly the video
is dark". A match of the lexicon that lies in one of these passages is no leak; "looks tense" and "neutral face" are.
"""

from __future__ import annotations

import re


def _any(words: str) -> str:
    """One of the words, "_" standing for a space inside one."""
    return f"(?:{'|'.join(word.replace('_', ' ') for word in words.split())})"


_PART = _any(
    "lips? mouth eyes? eyelids? lids? brows? eyebrows? jaw(?:line)? chin cheeks? forehead nostrils? nose glabella neck "
    "shoulders? muscles? orbicularis corrugator frontalis mentalis zygomaticus masseters? platysma corners? skin "
    "throat temples? eye_region mouth_region brow_region"
)
_TENSE = r"tens(?:e|ed|er|es|est|ing|ely|eness|ion|ions)"
_BODILY = _any(
    f"{_TENSE} neutral(?:ly|ity)? depress(?:ed|es|ing|ion)? agitat(?:ed|ion) restless irritat(?:ed|ion) strain(?:ed)?"
)
"""Words that muscles and skin share with feelings; only with a part of the face beside them."""

_HOW = (
    rf"(?:{_any('[a-z]+ly very more less somewhat rather quite a_bit a_little all also still again then and')} ){{0,3}}"
)
_BE = (
    "(?:"
    + _any(
        "is are was were be being been looks? looked appears? appeared seems? seemed becomes? became remains? remained "
        "stays? stayed gets? grows? turns? goes? feels? keeps? kept holds? held shows? showing with has have at in to "
        "of"
    )
    + " ){0,3}"
)
_THE = (
    rf"(?:{_any('the an? his her their its this that both each left right upper lower inner outer some more slight')} )"
    "{0,4}"
)
_SUBJECT = "".join(f"(?<!{verb} )" for verb in ("looks", "look", "seems", "appears", "feels", "is", "gets", "becomes"))
_COMMENT = _any(
    "sadly happily gladly unhappily regretfully pitifully hopefully thankfully annoyingly frustratingly "
    "disappointingly surprisingly amazingly astonishingly shockingly worryingly alarmingly"
)
_PERSON = _any("he she they who person man woman actor actress speaker child girl boy subject face expression")
_LOOKING = _any("looks? looking seems? appears? feels? smiles? gazes? stares?")
_OF_PICTURE = _any("the it this that there we no not too i none nothing dark blurr?y bright fast slow small short")

_PASSAGES = (
    # "the lips are slightly tense", "brows remain neutral", "jaw muscles tense"
    rf"\b{_PART} (?:(?:muscles?|corners?|region|area) )?{_HOW}{_BE}{_HOW}{_THE}{_BODILY}\b"
    r"(?! (?:expression|face|mood)\b)",
    # "tension around the eyes", "tensing of the jaw", "neutral position of the mouth"
    rf"\b{_BODILY} (?:{_any('is visible seen builds appears remains increases position contraction')} )?"
    rf"{_any('in around of at across between along over near above below under beneath on through')} "
    rf"{_THE}(?:[a-z]+ )?{_PART}\b",
    # "tense, pressed lips", "a neutral mouth"; not "looks tense, lips pressed"
    rf"{_SUBJECT}\b{_BODILY},? (?:and )?(?:[a-z]+,? ){{0,2}}?{_PART}\b",
    rf"\b{_any('muscular muscle facial lid lip jaw brow skin eyelid')} {_TENSE}\b"
    rf"|\b{_TENSE} (?:lines?\b|{_THE}{_PART}\b)",
    rf"\b{_any('corner angle septi labii supercilii')} depress(?:ed|ion|ing|or)\b",
    rf"\b{_PART} (?:[a-z]+ ){{0,2}}tensely\b",
    rf"\b{_any('surface rope string thread cable strap collar fabric cloth hair scarf')} "
    rf"(?:{_any('is are under with')} )?(?:in )?{_TENSE}\b",
    # "neutral head pose", "returns to neutral", "from neutral, the brows rise"; not "to a neutral expression"
    r"\bneutral(?:ly|-colou?red)? "
    + _any(
        "head pose position posture stance orientation alignment gaze tilt angle rest(?:ing)? line zone frame setting "
        "wall tones? gr[ae]y white beige clothing shirt balance density shade environment camera axis configuration lit"
    )
    + r"\b",
    rf"\b(?:in)?to (?:{_any('an? the its their his her more')} )*neutral"
    rf"(?! {_any('expression face mood emotion look feeling')}\b)",
    rf"\b{_any('from towards? near past beyond relative_to compared_to than at in')} (?:the |a )?neutral"
    rf"(?= {_any('frame baseline position pose point state')}\b|[,.;:]|$)",
    # light and colour have moods, the person may have another
    r"\b[a-z]+(?:,? (?:and )?[a-z]+)? "
    + _any("lighting light lights shadows? colou?rs? palette background backdrop weather")
    + r"\b",
    # irritated skin and eyes
    rf"\birritat(?:ed|ion) (?:{_any('of on in around')} )?(?:the )?"
    rf"{_any('skin eyes? eyelids? lids? patch spot area red')}\b",
    rf"\b{_any('skin eyes? eyelids? lids? red(?:ness)? patch')} "
    rf"(?:{_any('is are looks? appears? and or slightly')} )*irritat(?:ed|ion)\b",
    # a comment on the picture or by the writer: "Sadly, the frames are dark", "surprisingly quick"
    rf"(?:^|(?<=[.;!?])|(?<=[.;!?] )){_COMMENT}(?:,| (?!{_PERSON}\b|{_LOOKING}\b))",
    rf"\b{_COMMENT} {_OF_PICTURE}\b|\b{_any('but and though yet so')} {_COMMENT},",
    rf"\b{_any('surprisingly amazingly astonishingly alarmingly shockingly annoyingly terrifyingly disappointingly')} "
    r"(?!(?:smil|grin|angr|happ|sad)[a-z]*)[a-z]+\b",
    r"\bhopes? (?:this|that|it|you|to)\b|\bit is a pity\b|\bno wonder\b",
    rf"\b(?:i'm|i am) {_any('afraid glad happy pleased sad sorry delighted')} "
    rf"{_any('i that to it there the this we')}\b",
    rf"\b{_any('happy glad pleased')} to {_any('help assist describe provide')}\b",
    # things of the same name
    rf"\b{_any('smile laugh laughter frown worry stress grin')} {_any('lines? folds? creases? wrinkles? marks?')}\b",
    r"\b(?:alarm (?:clock|bell|system|button)|fire alarm|shock of (?:[a-z]+ )?hair|bas[- ]relief"
    r"|in (?:sharp |high |low )?relief|in isolation|isolation of|tempered glass|tension rod)\b",
)

HARMLESS = re.compile("|".join(_PASSAGES), re.IGNORECASE)
