"""What a reply names only to set it aside: "At first he looks angry, but ...", "from the list sad, fear", "Sad? No."

Such a clause is left out before the grammar reads the rest, which still has to state an emotion in known words.
What supposes (a condition, a wish, a part that is played) is never left out.
"""

from __future__ import annotations

import re

_E = "[\ue000-\uf8ff]"
_NO_SUPPOSING = r"(?!\b(?:if|whether|unless|suppos\w+|imagin\w+|pretend\w*|wish\w*|sure|script|role)\b)"
_CLAUSE = rf"(?:{_NO_SUPPOSING}[^.;!?\n])*?"
_START = r"(?:^|(?<=[.!?;\n]))\s*"
_LIST = rf"{_E}(?:(?:[\s,/\"'();:]|\bor\b|\band\b|\d\.)*{_E})+"
_BEFORE = (
    r"at (?:first|the (?:start|beginning|outset))|initially|in the (?:first|opening) (?:\w+ )?(?:frames?"
    r"|seconds?|moments?)"
    r"|(?:my|the) (?:initial|first) \w+ (?:was|is)"
)
_TAKEN_FOR = (
    r"(?:one|you|some|many|people|viewers|someone) (?:could|might|may|would)|mistake\w*|misled"
    r"|i (?:first |initially |also |had |briefly )*(?:thought|considered|assumed|suspected|expected|leaned|leaning)"
    r"|what (?:looks|seems|appears) (?:like|to be)"
    r"|(?:can|could|may|might) (?:easily )?(?:be (?:mistaken|taken|read)|look|seem|appear|pass)|a case (?:could"
    r"|can|might) be made"
)
_OTHERS = (
    r"every(?:one|body) (?:else|around)|(?:the )?other(?:s|(?! hand)(?! \w+ of) \w+)|the (?:scene|room|people"
    r"|crowd) around"
    r"|(?:his|her|their) (?:companion|friend|partner|colleague|brother|sister|mother|father|husband|wife"
    r"|opponent|neighbou?r|boss)s?"
    r"|the (?:crowd|audience|bystanders|onlookers|guests|music|soundtrack|song|setting|caption|title|subtitles?"
    r"|text|headline)"
)
_ASIDE = rf"\b(?:{_BEFORE}|{_TAKEN_FOR}|{_OTHERS})\b"
_TURN = (
    r"\s*(?:[,;:.—–]|\s-)\s*(?:but|yet|however|though|then|instead|actually|in (?:fact|truth|reality))\b"
    r"(?:,? (?:no|then|in fact|actually|now))?[\s,]*"
)
_SET_ASIDE = tuple(
    re.compile(pattern)
    for pattern in (
        # the options that were offered
        r"\b(?:from|among|of|out of|given|considering) (?:the |these |all )?(?:\w+ )?(?:list|options|labels"
        r"|categories|classes"
        rf"|emotions|choices|set)(?: (?:of )?\w+)?[\s,:(]*{_LIST}[),:]*",
        rf"\bbetween {_LIST}[,:]*|(?<={_E}) over {_E}",
        # a question that the reply answers with no
        rf"{_START}(?:is (?:he|she|it|this) )?{_E}\s*\?\s*(?:no|nope|not really|not quite|only (?:for"
        rf"|at) [\w\s]+?)\s*[.,;!]",
        # what it looked like before, what it might be taken for, what others show: up to the turn, or a whole sentence
        rf"{_START}{_CLAUSE}{_ASIDE}{_CLAUSE}{_E}{_CLAUSE}{_TURN}",
        rf"{_START}(?:although|though|while|whereas) {_CLAUSE}{_ASIDE}{_CLAUSE}{_E}[^.;!?\n,]*,",
        rf"{_START}(?:{_ASIDE}){_CLAUSE}{_E}{_CLAUSE}\.(?=.*{_E})",
        rf"{_START}(?:the )?(?:(?:word|label|option|idea) )?{_E} (?:came|comes|springs"
        rf"|sprang) to mind{_CLAUSE}{_TURN}",
        rf"{_START}(?:do not|don't) be (?:misled|fooled|deceived"
        rf"|distracted) by {_CLAUSE}{_E}{_CLAUSE}[:;.,](?=.*{_E})",
        # what was weighed before the choice, and what would have looked otherwise
        rf"(?<=\bi )(?:considered|weighed|hesitated between|thought (?:about|of)) (?:{_LIST}"
        rf"|{_E})\s*before (?=\w+ing \w+ {_E})",
        rf"{_START}i (?:looked|searched|checked) for (?:any )?(?:signs|traces|hints) of (?:{_LIST}"
        rf"|{_E})\s*(?:and|but) (?:found|saw) (?:none|no \w+)[;,.\s]*",
        rf"{_START}{_E} would (?:show|appear|look|come|need|require|have|be){_CLAUSE}[.;](?=.*{_E})",
        # what somebody says
        rf"\"[^\"\n]*{_E}[^\"\n]*\",? (?:he|she|they|the \w+) (?:says|said|shouts|whispers|mutters"
        rf"|claims)\b{_CLAUSE}[.;,](?: (?:but|yet))?(?=.*{_E})",
    )
)
_SET_ASIDE_ZH = re.compile(
    rf"(?:起初|一开始|最初|乍一看|乍看|刚开始|开始时)(?!.{{0,12}}如果)[^。！？\n]*?{_E}[^。！？\n]*?[，,。]\s*(?:但是?|不过|然而|可是?)[，,]?"
)


LONGEST = 1_500
"""Characters of a text that is searched; its longest sentence has a fifth of them."""


def set_aside(text: str) -> str:
    """The text, in lower case and with marked mentions, without the clauses that name an emotion to leave it."""
    text = re.sub(r"[ \t]+", " ", text)
    if len(text) > LONGEST or max(map(len, re.split(r"[.!?;\n]", text))) > LONGEST // 5:
        return text
    for pattern in (*_SET_ASIDE, _SET_ASIDE_ZH):
        text = pattern.sub(" ", text)
    return text
