"""What English prose says that somebody shows, by a small grammar over the word classes of `prose_words.py`.

A sentence is written as one letter a word, its class there (E is an emotion, e one that is an adverb, ? an unknown
word); denied emotions become x ("not happy", "rather than fear"). What is left has to match one of the sentences below
*in full*:

| sentence | for example |
|-|-|
| somebody, a verb of seeming or showing, the emotion | "The old man looks deeply sad", "her smile conveys joy" |
| what somebody does, and what it shows | "He raises his brows, which indicates surprise" |
| the emotion, and that it is seen or fits | "Anger is the dominant emotion", "fear best describes it" |
| the writer's choice | "I would classify this as sadness" |
| somebody does something in that way | "He shouts angrily" |
| nothing but the emotion | "Clearly anger.", "a sad face" |

before and behind which only harmless words may stand: openings ("in conclusion"), causes and what is seen of a face.
Words that are not known may stand where they cannot change the claim: in a place or thing beside a person ("the man in
the canoe"), and in a clause of its own before or behind, as long as none of its words denies, doubts or supposes. A
sentence that names an emotion and matches none of them says nothing that is known, and the reply is not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from emotrain.metrics.mentions import Mention, Sentence
from emotrain.metrics.prose_words import CLASS_OF, TOKEN

_SEEN = "[dqaFASLVKPGrpcowgsvlbHhOCjk0,XUTY]"
_OPEN_NOUN = r"(?:[pGh]|Go)[dqT]?[ra0]*\?{1,2}[FKVPGLAS]?"
"""A place, a thing or a person beside the one that is judged, in one or two words that need not be known."""
_SEEN_RUN = rf"(?:{_SEEN}|{_OPEN_NOUN}|(?<![dqa])i|N[dra]*[FGK](?:y[dra]*[FGK])*|Ro?[dqra]*[GF])"
"""Anything of a person, a face, what it does and why: words that change nothing of what a sentence says."""
_OPEN = r"[^EeWfNImzBRxQ]"
"""A word of a clause beside the claim, of which is only asked that it denies, doubts, supposes and names nothing."""
_OPEN_FRONT = rf"[dqTOPpGFVUJjkarhYiLA]{_OPEN}*(?:,|(?<=[^,])(?=[ck]))(?:J|[cwB],?|k)*(?=[OTPqIwgsFJ]|d[ra?]*[^raE])"
"""What is seen in a clause of its own before the claim: "He slams the door and shouts at the clerk, so ..."."""
_OPEN_TAIL = rf"(?:(?:[,jkUphcni]|[rt]?G){_OPEN}*)?"
"""What is seen, in a clause behind the claim."""

_LIST = r"E(?:(?:,[dra]*E)*,?y[dra]*E)?"
_DENIED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"[NR]+o?(?:zT?(?:O|[dqT]*[ra]*[PFA]))?[rvLsgHtblkhD]*[dqra]*(?:[ASFL]+[ra]*o[dqra]*)*[dqraG]*{_LIST}[AFLSP]?",
        r"[dqra]*(?:[ASFL]+o[dqra]*)?E[AFLS]?,?Q",
    )
)
"""Denied: a negator before a list of emotions ("neither happy nor sad"), or "can be ruled out" behind one."""

_EMOTION = r"[dqT]?(?:[raG]+[c,]+)*[ra]*E(?:[cyB,]+[dra]*E|[c,]+r*[aG]+)*"
_SHOWN = rf"(?:[dqT]?[ra]*[ASFL]+[oD])*(?:{_EMOTION})"
_ITS_NOUN = r"(?:[ra]*[AFLSM]+)?Z?"
_PERSON_OR_NOUN = r"(?:[ra]*[AFLSMP]+)?"
_HEAD = r"(?:[OT]|[dqT]*[ra]*q?[ra]*[FALSG]|[dT]*[ra]*[?K]?[ra]*P|q[ra]*M|[dq]?Ro?[dqra]*[GF]+)"
_BE = r"r*(?:[vLD][rtbl]*)+,?"
_SHOW = r"r*(?:v[rtb]*)?(?:g|s)r*"
_MORE = r"(?:[oh][dq][ra?]{0,2}[?K])"
_BEHIND = rf"(?:[,jkUpowchgarx0Y]{_SEEN_RUN}*(?:x{_SEEN_RUN}*)?{_MORE}?|{_MORE})?(?:,J)?{_OPEN_TAIL}"
_OPENINGS = r"(?:[JY],?|x,)*"
_LEAD = rf"{_OPENINGS}(?:(?:[pkUGRrh]{_SEEN_RUN}*,|N[dra]*[FG]+,?|p[dqT]*[ra]*[KV]+,?){_OPENINGS})?"

_CLAIM = "|".join(
    (
        rf"{_HEAD}{_SEEN_RUN}*?{_BE}(?:x[,B]+)?{_SHOWN}{_PERSON_OR_NOUN}{_BEHIND}",
        rf"{_HEAD}{_SEEN_RUN}*?(?:{_SHOW}|H)(?:x[,B]+)?{_SHOWN}{_ITS_NOUN}{_BEHIND}",
        rf"[Td]V+(?:D|{_SHOW})(?:[dq][ra]*P(?:{_SEEN_RUN}*{_BE}|{_SEEN_RUN}*{_SHOW}))?{_SHOWN}{_ITS_NOUN}{_BEHIND}",
        rf"(?:O|[dq][ra]*P){_SEEN_RUN}*?(?<!K)h{_SHOWN}[ra]*[AFLM]+{_OPEN_TAIL}",
        r"(?:O|[dT]*[ra]*P)[rvpdqaFOT,cKYGL]*[GL][rpdqaFOTKY?]*h[ra]*E",
        rf"{_SHOWN}{_ITS_NOUN}r*v(?:[rd]|q|a)*(?:A[abGropYTdqPFV]*|a){_BEHIND}",
        rf"{_SHOWN}{_ITS_NOUN}r*Z[TdqraAPFVpGY]*",
        rf"Im?r*[zA](?:q|u|{_HEAD}[TdqraPFASLGVopwOKY]*)?[jktb,l]*{_SHOWN}{_PERSON_OR_NOUN}{_BEHIND}",
        rf"{_HEAD}{_SEEN_RUN}*?,?[wTc]*{_SHOW}[jktb]*(?:T?{_HEAD}{_BE})?{_SHOWN}{_ITS_NOUN}{_BEHIND}",
        rf"{_HEAD}{_SEEN_RUN}*?e{_BEHIND}",
        rf"[dqra]*[FPO][dqraFPGpc0]*G[dqraFPGpcr0]*,{_SHOWN}{_ITS_NOUN}",
        rf"(?<=[xcB]){_BE}{_SHOWN}{_ITS_NOUN}{_BEHIND}",
        rf"(?:O|[dT]*[ra]*P|q[ra]*F){_OPEN}*(?:,c?|c)r*(?:L|v[tb]*){_SHOWN}{_ITS_NOUN}{_BEHIND}",
        rf"(?:O|[dT]*[ra]*P|q[ra]*F){_OPEN}*,(?:c?r+|g){_SHOWN}{_ITS_NOUN}{_BEHIND}",
        rf"(?:T?Vs|Ov|Tv)d[ra]*E[ra]*P[GiphvrK]{_OPEN}*",
        rf"{_OPEN}*[GFi]{_OPEN}*,{_SHOWN}{_ITS_NOUN}",
        r"e",
        rf"s?{_SHOWN}{_PERSON_OR_NOUN}(?:[,jkUph]{_SEEN_RUN}*)?(?:,?x)*",
        rf"{_SHOWN}{_PERSON_OR_NOUN},(?:O|q[ra]*F|[dT]P)[rpGFPagsv]{_OPEN}*",
        rf"(?<=,)w?r*{_SHOW}[jktb]*(?:T?{_HEAD}{_BE})?{_SHOWN}{_ITS_NOUN}{_BEHIND}",
    )
)
_DENIAL = rf"{_SEEN_RUN}*I?m?N*x{_SEEN_RUN}*"
_BEFORE = "|".join(
    (
        rf"{_SEEN_RUN}*[mb]*x,?[cBJ]+,?",
        rf"{_SEEN_RUN}*[vsgHGL]{_SEEN_RUN}*,?[cBJ]+,?",
        rf"{_SEEN_RUN}*,?J,?",
        rf"{_SEEN_RUN}*[mb]*x(?:{_SEEN_RUN}*,)?",
        rf"{_SEEN_RUN}*X,",
        rf"{_SEEN_RUN}*,(?={_HEAD})",
        _OPEN_FRONT,
    )
)
"""What a sentence may say first: what is seen, or an emotion that it denies."""
_SAYS = re.compile(rf"(?:{_OPENINGS}(?:{_BEFORE}))?{_LEAD}(?:{_CLAIM})(?:[,cBJ]+{_LEAD}(?:{_CLAIM}|{_DENIAL}))?")
_DENIES_ONLY = re.compile(r"[^WfEe?]*x[^WfEe]*")
LONGEST = 60
"""Words of a sentence that is read."""
_ANSWER = re.compile(rf"{_LEAD}[dqT]*[ra]*q?[ra]*A[aGrop,TdqPFVKAwsOvbIY]*?r*[vD]")
_REASON = re.compile(r"E(?=,?[jk][^IEe]*$)|E(?=[,Uhw][^WNImzBEey]*$)")
_SILENT = re.compile(
    r"(?=.*[FGKVPO])[?iftLgv](?:[^WNImzBy]|N[dra]*[FGK](?:y[dra]*[FGK])*|Ro?[dqra]*[GF])*"
    r"|[dqTOPpGFVUJAHjkarhY](?:[^WNImzBy]|N[dra]*[FGK](?:y[dra]*[FGK])*|Ro?[dqra]*[GF])*|[^WNImzBy?]*"
)
_OF_A_FACE = re.compile(r"[FGLKV]")
_CLOSERS = re.compile(
    r"(?:i hope (?:this|that) helps|let me know if you .*|feel free to .*|thank you.*|thanks.*)", re.IGNORECASE
)


def sentence(part: str, mentions: Sequence[Mention], later: bool) -> Sentence:
    """What one sentence says; mentions are marked, `later` is whether another one stands before it."""
    letters, names = _classes(part, mentions)
    for denied in _DENIED:
        letters = denied.sub(lambda found: "x" * len(found.group()), letters)
    plain = re.sub("(?:E,)+E", "E", re.sub("x+", "x", re.sub(",+", ",", letters))).strip(",")
    if len(plain) > LONGEST:
        return Sentence((), unknown=re.search("[Ee]", plain) is not None, silent=True, harmless=False)
    answer = _ANSWER.match(plain) is not None
    if not re.search("[Ee]", plain):
        if "x" in plain:
            return Sentence((), unknown=_DENIES_ONLY.fullmatch(plain) is None)
        harmless = _CLOSERS.fullmatch(part.strip()) is not None or (
            re.fullmatch("[0,]*", plain) is not None
            or (_SILENT.fullmatch(plain) is not None and not (later and plain and _OF_A_FACE.search(plain) is None))
        )
        return Sentence((), silent=True, harmless=harmless, answer=answer)
    if not _says(plain, answer):
        return Sentence((), unknown=True, answer=answer)
    claimed = tuple(name for letter, name in zip(letters, names, strict=True) if letter in "Ee")
    return Sentence(claimed, answer=answer)


def _says(plain: str, answer: bool) -> bool:
    """Whether a sentence claims what it names; of a stated answer the reason behind it is not read."""
    if _SAYS.fullmatch(plain) is not None:
        return True
    reason = _REASON.search(plain) if answer else None
    return reason is not None and _SAYS.fullmatch(plain[: reason.start() + 1]) is not None


def _shape(word: str) -> str:
    """The class of a word that is not known: what somebody is doing, or anything."""
    if word.endswith("'s"):
        return "q" if CLASS_OF.get(word[:-2]) == "P" else "W"
    return "i" if re.fullmatch(r"[a-z]{3,}ing", word) else "?"


def _classes(part: str, mentions: Sequence[Mention]) -> tuple[str, list[str | None]]:
    """The class of each word of a sentence, and beside it the label of each emotion."""
    letters, names = "", []
    for found in TOKEN.finditer(re.sub(r"\s+", " ", part.strip())):
        kind, name = found.lastgroup or "odd", None
        if kind == "percent":
            kind = "number"
        if kind == "mention":
            mention = mentions[ord(found.group()) - 0xE000]
            letter, name = ("e" if mention.adverb else "E"), mention.label
        elif kind == "word":
            letter = CLASS_OF.get(found.group()) or _shape(found.group())
        elif kind == "unit":
            letter = "F"
        elif kind == "number":
            letter = "0" if float(found["number"]) >= (50 if found["percent"] else 0.5) else "?"
        else:
            letter = {"comma": ",", "odd": "W", "box": "W"}.get(kind, kind[0])
        letters += letter
        names.append(name)
    return letters, names
