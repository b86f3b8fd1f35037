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

before and behind which only harmless words may stand: openings ("in conclusion"), causes and what is seen of a face. A
sentence that names an emotion and matches none of them says nothing that is known, and the reply is not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from emotrain.metrics.mentions import Mention, Sentence
from emotrain.metrics.prose_words import CLASS_OF, TOKEN

_SEEN = "[dqaFASLVKPGrpcowgsvlbHhOjk0,XUTY]"
_SEEN_RUN = f"(?:{_SEEN}|N[dra]*[FGK](?:y[dra]*[FGK])*|Ro?[dqra]*[GF])"
"""Anything of a person, a face, what it does and why: words that change nothing of what a sentence says."""

_LIST = r"E(?:(?:,[dra]*E)*,?y[dra]*E)?"
_DENIED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"[NR]+o?(?:zT?(?:O|[dqT]*[ra]*[PFA]))?[rvLsgHtblkhD]*[dqra]*(?:[ASFL]+[ra]*o[dqra]*)*[dqraG]*{_LIST}[AFLSP]?",
        r"[dqra]*(?:[ASFL]+o[dqra]*)?E[AFLS]?Q",
    )
)
"""Denied: a negator before a list of emotions ("neither happy nor sad"), or "can be ruled out" behind one."""

_EMOTION = r"[dqT]?(?:[raG]+[c,]+)*[ra]*E(?:[cyB,]+[dra]*E|[c,]+r*[aG]+)*"
_SHOWN = rf"(?:[dqT]?[ra]*[ASFL]+[oD])*(?:{_EMOTION})"
_ITS_NOUN = r"(?:[ra]*[AFLSM]+)?"
_PERSON_OR_NOUN = r"(?:[ra]*[AFLSMP]+)?"
_HEAD = r"(?:[OT]|[dqT]*[ra]*q?[ra]*[FALSG]|[dT]*[ra]*P|q[ra]*M|[dq]?Ro?[dqra]*[GF]+)"
_BE = r"r*(?:[vLD][rtbl]*)+,?"
_SHOW = r"r*(?:v[rtb]*)?(?:g|s)r*"
_MORE = r"(?:[oh][dq][ra?]{0,2}[?K])"
_BEHIND = rf"(?:[,jkUpowchgarx0Y]{_SEEN_RUN}*(?:x{_SEEN_RUN}*)?{_MORE}?|{_MORE})?(?:,J)?"
_OPENINGS = r"(?:[JY],?|x,)*"
_LEAD = rf"{_OPENINGS}(?:(?:[pkUGRrh]{_SEEN_RUN}*,|N[dra]*[FG]+,?|p[dqT]*[ra]*[KV]+,?){_OPENINGS})?"

_CLAIM = "|".join(
    (
        rf"{_HEAD}{_SEEN_RUN}*?{_BE}(?:x[,B]+)?{_SHOWN}{_PERSON_OR_NOUN}{_BEHIND}",
        rf"{_HEAD}{_SEEN_RUN}*?(?:{_SHOW}|H)(?:x[,B]+)?{_SHOWN}{_ITS_NOUN}{_BEHIND}",
        rf"[Td]V+(?:D|{_SHOW})(?:[dq][ra]*P(?:{_SEEN_RUN}*{_BE}|{_SEEN_RUN}*{_SHOW}))?{_SHOWN}{_ITS_NOUN}{_BEHIND}",
        rf"(?:O|[dq][ra]*P)[GLrpdqaOF,c]*h{_SHOWN}[ra]*[AFLM]+",
        r"(?:O|[dT]*[ra]*P)[rvpdqaFOT,cKYGL]*[GL][rpdqaFOTKY]*h[ra]*E",
        rf"{_SHOWN}{_ITS_NOUN}r*v(?:[rd]|q|a)*(?:A[abGropYTdqPFV]*|a){_BEHIND}",
        rf"{_SHOWN}{_ITS_NOUN}r*Z[TdqraAPFVpGY]*",
        rf"Im?r*[zA](?:q|u|{_HEAD}[TdqraPFASLGVopwOKY]*)?[jktb,l]*{_SHOWN}{_PERSON_OR_NOUN}{_BEHIND}",
        rf"{_HEAD}{_SEEN_RUN}*?,?[wTc]*{_SHOW}[jktb]*(?:T?{_HEAD}{_BE})?{_SHOWN}{_ITS_NOUN}{_BEHIND}",
        rf"{_HEAD}{_SEEN_RUN}*?e{_BEHIND}",
        rf"[dqra]*[FPO][dqraFPGpc0]*G[dqraFPGpcr0]*,{_SHOWN}{_ITS_NOUN}",
        rf"(?<=[xcB]){_BE}{_SHOWN}{_ITS_NOUN}{_BEHIND}",
        r"e",
        rf"s?{_SHOWN}{_PERSON_OR_NOUN}(?:[,jkUph]{_SEEN_RUN}*)?(?:,?x)*",
    )
)
_DENIAL = rf"{_SEEN_RUN}*I?m?N*x{_SEEN_RUN}*"
_BEFORE = "|".join(
    (
        rf"{_SEEN_RUN}*[mb]*x,?[cBJ]+,?",
        rf"{_SEEN_RUN}*[vsgHGL]{_SEEN_RUN}*,?[cBJ]+,?",
        rf"{_SEEN_RUN}*,?J,?",
        rf"{_SEEN_RUN}*[mb]*x,?",
        rf"{_SEEN_RUN}*X,",
        rf"{_SEEN_RUN}*,(?={_HEAD})",
    )
)
"""What a sentence may say first: what is seen, or an emotion that it denies."""
_SAYS = re.compile(rf"(?:{_OPENINGS}(?:{_BEFORE}))?{_LEAD}(?:{_CLAIM})(?:[,cBJ]+{_LEAD}(?:{_CLAIM}|{_DENIAL}))?")
_DENIES_ONLY = re.compile(r"[^WEe?]*x[^WEe?]*")
LONGEST = 60
"""Words of a sentence that is read."""
_ANSWER = re.compile(rf"{_LEAD}[dqT]*[ra]*q?[ra]*A[aGrop,TdqPFVKAwsOvbIY]*?r*[vD]")
_REASON = re.compile(r"E(?=,?[jk][^IEe]*$)|E(?=[,Uhw][^WNImzBEey]*$)")
_SILENT = re.compile(r"[dqTOPpGFVUJAHjkarhY](?:[^WNImzBy]|N[dra]*[FGK](?:y[dra]*[FGK])*|Ro?[dqra]*[GF])*|[^WNImzBy?]*")
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
            _SILENT.fullmatch(plain) is not None and not (later and plain and _OF_A_FACE.search(plain) is None)
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
            letter = CLASS_OF.get(found.group(), "?")
        elif kind == "unit":
            letter = "F"
        elif kind == "number":
            letter = "0" if float(found["number"]) >= (50 if found["percent"] else 0.5) else "?"
        else:
            letter = {"comma": ",", "odd": "W", "box": "W"}.get(kind, kind[0])
        letters += letter
        names.append(name)
    return letters, names
