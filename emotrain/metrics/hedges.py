"""What makes prose no statement: a hedge ("maybe sad"), a condition ("unless he acts, he is angry"), a turn.

A hedged word in a stated answer ("Emotion: possibly fear") is still the answer; one in prose is none, since whoever
hedges may go on to say that nothing can be told.
"""

from __future__ import annotations

import re

_HEDGE = (
    r"(?:either|between|may|might|could|possibl[ey]|perhaps|maybe|conceivably|potentially|supposedly|allegedly"
    r"|reportedly"
    r"|presumably|hypothetically|theoretically|formerly|previously|in theory|in principle)"
)
_AS_LABEL = (
    r"(?: also)? (?:best |well |most accurately )?be (?:best |well |most accurately )?(?:described"
    r"|classified|labell?ed|categori[sz]ed|summari[sz]ed)"
)
_HEDGED = re.compile(rf"\b{_HEDGE}\b(?!{_AS_LABEL})")
_HEDGED_ZH = re.compile(r"(?:有?可能|也许|或许|说不定|大概|恐怕|似乎不)[^，。！？；,.!?;\n]*$")
_HEDGED_AFTER = re.compile(
    r"[\s\"'*_`,()—-]*(?:expression |emotion |face )?[\s,(—-]*(?:(?:maybe|perhaps|possibly|i suppose|or not|who"
    r" knows|allegedly)\W*(?:[.!?;,\n)]|$)"
    r"|or (?!(?:_|up|di|un|irr|frus|ann|joy|plea|amu|exc|shock|ama|worr|nerv|depr|tear|at least|even|not|a |an "
    r"|any|so)\w*)\w+|or (?:just|maybe|perhaps|possibly|simply|merely|something)\b)"
)
_CONDITION = re.compile(
    r"(?:^|[.;!?\n]\s*|\b(?:but|and|so|only|then),? )(?:(?:only|even|perhaps|maybe),? )?"
    r"(?:if(?! (?:i|we|you|one)(?: \w+ly)? (?:look|focus|consider|watch|pay|examine|observe|zoom|compare"
    r"|combine)\b)|unless|until|before|assuming|provided|providing"
    r"|suppos(?:e|ing)"
    r"|say (?:he|she|it|that)|let's (?:say|assume|suppose)|as far as i know|for all i know|in case|on (?:the"
    r" )?condition"
    r"|but for|as long as"
    r"|(?:should|had|were) (?:he|she|they|it|the|this|that|a|there)\b)\b[^.;!?\n]*$"
)
"""A condition holds to the end of its sentence: all that follows is said of a case that is not known to be there."""
_CONDITION_ZH = re.compile(
    r"(?:即使|即便|就算|哪怕|如果|假如|假设|假使|要是|若是|倘若|若|只要|除非)(?!要|必须|一定要|非要|硬要|只能)[^。！？!?\n]*$"
)
_CHOOSES = re.compile(r"if [^,]{0,40}\b(?:choose|pick|guess|decide|forced|select|pressed)\b|(?:选|猜|判断)")

_ANOTHER_TIME = re.compile(
    r"\b(?:(?:in|from|of|during) (?:the |a |an |his |her )?(?:other|another|next|previous|earlier|later|last"
    r"|second|following|original|whole)"
    r" (?:scene|episode|film|movie|clip|video|part|season|chapter|take|life|year|shot)"
    r"|(?:in|according to) (?:the |a |his |her )?(?:theory|script|book|story|novel|plot|subtitles?|caption|title"
    r"|past|future|dreams?))\b"
)
_NOTHING_SEEN = re.compile(
    r"\b(?:i|we|one|you) (?:can ?not|can't|could not|couldn't|am unable to|'m unable to|am not able to|'m not"
    r" able to) (?:\w+ly )?"
    r"(?:tell|say|determine|identify|judge|decide|confirm|verify|see|assess|classify|infer|label|assign|name"
    r"|recogni[sz]e|be (?:sure|certain))\b"
    r"|\b(?:hard|difficult|impossible|tough) to (?:tell|say|determine|identify|judge|assess|classify|make out)\b"
    r"|\b(?:face|expression|features)s?(?: \w+)? (?:is|are|stays?|remains?)(?: \w+)? (?:hidden|covered|blurr\w+"
    r"|obscured|unreadable|dark|not visible|invisible"
    r"|unclear|out of|off|turned away|never shown|not shown)\b"
    r"|\b(?:person|man|woman|subject|target|he|she)s? (?:is not|isn't) (?:visible|shown|seen|in (?:the )?frame"
    r"|on screen)\b"
    r"|\bonly (?:his|her|their) back\b|\bno (?:human|person|face)s?\b|\bnobody is\b"
)
"""Behind words like these prose states nothing, whatever it says elsewhere."""
_ALTERNATIVE = re.compile(r"[.?!\n]\s*or(?: an?)?\s*$")
"""A sentence that only adds another choice: "Angry? Or sad."."""
_DECLINES = re.compile(
    r"\b(?:(?:can ?not|can't|could not|couldn't|unable to|impossible to|hard to"
    r"|difficult to) (?:be )?(?:\w+ly )?(?:tell|say|know|see|"
    r"seen|determine\w*|identify|judge|decide|confirm|verify|answer|read|pin|made out|make out"
    r"|recogni[sz]e|sure|certain|classify|assess|interpret)|unclear|not visible"
    r"|hidden|turned away|out of frame|no face|off-screen|n/a|not enough|insufficient|would not"
    r"|wouldn't|in theory|cannot agree"
    r"|too dark|too blurry)\b"
)
_MODAL = re.compile(r"\b(?:can|likely|probably)\b")


def nothing_seen(text: str) -> bool:
    """Whether a text in lower case says that its writer sees nothing, so that its prose states nothing."""
    return _NOTHING_SEEN.search(text) is not None


def declines(text: str) -> bool:
    """Whether a text in lower case holds words behind which even a "probably" is no answer."""
    return _DECLINES.search(text) is not None


def hedged(before: str, after: str, clause: str, declines: bool) -> bool:
    """Whether the mention behind `before` (lower case, its own `clause` last) is hedged, conditional or turned."""
    return (
        _HEDGED.search(clause) is not None
        or _HEDGED_ZH.search(clause[-16:]) is not None
        or _HEDGED_AFTER.match(after) is not None
        or conditional(before)
        or turns(after)
        or _ALTERNATIVE.search(before) is not None
        or _ANOTHER_TIME.search(re.split(r"[.;!?\n]", before)[-1]) is not None
        or (declines and _MODAL.search(clause) is not None)
    )


def turns(after: str) -> bool:
    """Whether the sentence of a mention, or the one behind it, goes on to turn what was said."""
    return _TURNS.match(after) is not None


_TURNS = re.compile(
    r"[^.;!?\n]*?(?:\b(?:but|if|unless|until|except)\b(?! (?:also|not only)\b)|\bat (?:first|least)\b"
    r"|\binitially\b|\bor so\b|\b(?:another story|otherwise|the opposite|the contrary|something else"
    r"|differently)\b|\b(?:gives? way|fades|vanishes|disappears|dissolves|is replaced|is gone)\b|\bonly"
    r" (?:because|as|in)\b"
    r"|^ is (?:to|an?)\b)"
    r"|[^.;!?\n]*[.;!?\n]+\s*(?:but|however|yet|actually|in fact|wait|no\b|hmm|although|then again|on second"
    r" thought|still,|that said"
    r"|on the other hand|or\b|maybe|perhaps)"
)


def conditional(before: str) -> bool:
    """Whether the sentence up to here opens with a condition; "if I had to choose" is none."""
    found = _CONDITION.search(before) or _CONDITION_ZH.search(before)
    return found is not None and (
        _CHOOSES.search(found.group()) is None or _HEDGED_ZH.search(found.group()) is not None
    )


def declined(value: str) -> bool:
    """Whether a stated answer says that there is none and goes on to wonder: "unclear, maybe sadness"."""
    return _NONE.match(value) is not None and (
        _HEDGED.search(value) is not None or _HEDGED_ZH.search(value) is not None
    )


_NONE = re.compile(
    r"[\W_]*(?:no |not |none|nothing|unclear|unknown|uncertain|un(?:able|determined|identifiable)|cannot|can't"
    r"|could not|couldn't|n/?a\b|indetermina|无法|不能|不确定|不清|不明|未知|没有|难以|看不|很难|说不||in?conclusive"
    r"|ambiguous|hard to|difficult to|unsure)"
)
