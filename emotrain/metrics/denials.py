"""How English takes a label back: it is denied, doubted, unreal, or the word says something of another thing.

Each table below is a list of regular expressions with the kind of phrase they stand for. Those of BEFORE hold from the
phrase to the end of its clause, those of AFTER directly behind the mention. Text is in lower case, mentions blanked.
"""

from __future__ import annotations

import re

IDIOMS = re.compile(
    r"\bi(?:'m| am) afraid (?:so\b|(?:that )?(?:i|we|it|this|that|there|the|not|no|he|she|they)\b)"
    r"|\b(?:i|we) fear (?:that )?(?:i|we|it|this|that|there|the|not|no|he|she|they)\b|\bfor fear of\b"
    r"|\b(?:i|we)(?:'d| would|'m| am|'ll| will| was|'re| are| feel)(?: be)? "
    r"(?:(?:so|very|always|really|quite|only|deeply|terribly) )*(?:happy|glad|delighted|happily|sad|angry|mad|worried"
    r"|nervous|surprised|neutral|disappointed|helpless|anxious)\b"
    r"|\b(?:stay|remain|staying|remaining|be|being) neutral (?:and|on|about|in|here)\b|\bas a neutral \w+"
    r"|\bmakes? (?:me|us) (?:\w+ )?(?:happy|sad|angry|mad|nervous|worried|anxious)\b"
    r"|\b(?:to|much to) (?:my|our|his|her|everyone's) (?:\w+ )?surprise\b|\b(?:no|as no"
    r"|a) (?:wonder and no )?surprise "
    r"that\b|(?:^|[.!?\n]\s*)(?:sadly|unhappily|happily|fearfully),? (?:i|we|the (?:video|file|clip"
    r"|image|frames?)|no)\b"
    r"|(?:^|[.!?\n]\s*)(?:sadly|unhappily|happily),|(?:^|[.!?\n]\s*)(?:sad|happy|glad) to (?:say|report|tell"
    r"|help|assist)\b|\bhappy to help\b"
    r"|\bi(?:'m| am) (?:quite |very )?positive (?:that|it|this|he|she|the|about)\b"
    r"|\bother(?= (?!(?:emotions?|expressions?|category|class|label|option|or|and|but|is)\b)[a-z])"
    r"|\beach other\b|\bamong others\b|\bothers(?= (?:may|might|would|could)\b)|\bhappy birthday\b|\bfear not\b"
)
"""Words of emotion that name none: the assistant speaking of itself ("I'm afraid I can't", "I'm happy to help"), and
"other" before what is other ("on the other hand", "the other eye")."""

NOT_NEGATIONS = re.compile(
    r"\b(?:not (?:only|just|merely|simply)|nothing but|no doubt|without (?:a |any )?doubt|no question)\b"
    r"|\b(?:cannot|can't|can not|could not|couldn't|unable to|does not|doesn't|do not|don't|did not"
    r"|didn't|not|without)"
    r" (?:even |quite |\w+ly )?(?:hid(?:e|ing)|conceal(?:ing)?|mask(?:ing)?|disguis(?:e|ing)|deny(?:ing)?)\b"
    r"|\b(?:cannot|can't|can not|could not|couldn't|unable to|barely|hardly|scarcely) (?:\w+ly )?"
    r"(?:hide|conceal|contain|control|suppress|restrain|hold back|help but|help (?:feel|be|look|show)ing)\b"
    r"|\b(?:undoubtedly|beyond doubt|doubtless|unquestionably)\b|\bas (?:if|though)\b"
    r"|\bif (?:i|we|you|one) (?:had|have|were|must|needed?|was|has) (?:forced )?(?:to )?(?:\w+ ){0,2}?"
    r"(?:choose|pick|guess|say|decide|label|name|answer|select)\b"
)
"""Negators that deny nothing: "not only angry", "he cannot hide his anger", "as if", "if I had to choose"."""

_STOP = (
    r"(?:[.;!?\n—]|\b(?:but|rather(?! than)|instead(?! of)|however|yet|although|though|because|since|so|just|"
    r"my (?:best )?guess|i(?:'d| would) (?:guess|go with)|most likely|probably)\b)"
)
BREAK = (
    r"(?:[.;:!?,\n—]|\b(?:but|rather(?! than)|instead(?! of)|however|yet|although|though|because"
    r"|since|and|so(?! far| much)|just)\b)"
)
CONCLUSION = (
    r"(?<!that )(?<!which )\b(?:indicates?|suggests?|shows?|signals?|means?|reveals?|conveys?|expresses|implies"
    r"|points to|looks?|seems?|appears?)\b(?! of)"
)
"""A verb behind which something lacking ("the absence of a smile") speaks for what follows ("indicates sadness")."""
REACH = 10
"""Most words between a negator and the word that it negates ("not possible to determine whether the person is sad")."""

_SAY = (
    r"(?:say|tell|know|determine|judge|decide|see|be (?:sure|certain)|conclude|establish|ascertain"
    r"|discern|identify|read"
    r"|make out|confirm|answer|classify|interpret|assess|state|call|label|speculate|guess)"
)

NEGATION = (
    # plain negators
    r"not|no|nothing|never|neither|nor|non|none|nobody|no one|cannot|\w+n't|cant|hardly|barely|scarcely|rarely|seldom"
    r"|unlikely|premature|nearly|almost|everything but|all but|(?<!a )(?:little|few)(?= (?:suggests?|indicates?"
    r"|shows?|points?|speaks|here|about|in|to|evidence|of|signs?))|need(?:s|ed)?(?: \w+){0,3} to"
    r"|other than|(?:apart|aside) from|except|less(?: \w+){0,2} than|zero|un(?=-)",
    # whole phrases that deny
    r"_{5} than|takes more than \w+ to|far from|anything(?: \w+)? (?:but|except)|by no means|in no way"
    r"|nowhere near|nowhere close to|(?:the )?opposite of"
    r"|no longer|contrary to|the last thing|less (?:a )?(?:matter|question|case) of|(?<!a )little (?:sign|trace|hint"
    r"|evidence|indication|of)|few (?:signs|traces|hints|indications)|too (?:\w+ ){1,3}?(?:to|for)",
    # verbs that deny
    r"fail(?:s|ed|ing)? to|refus(?:es|ed?|ing) to|stop(?:s|ped)? (?:being|looking|feeling)|ceas(?:es|ed) to"
    r"|avoid(?:s|ed|ing)?|exclud(?:es?|ed|ing)|rul(?:es?|ed|ing) out|disagree\w*|den(?:y|ies|ied)"
    r"|reject\w*|den(?:y|ies)"
    r"|dismiss\w*|(?:is|be|was) (?:wrong|incorrect|false|a mistake|an error|a stretch|an overstatement|inaccurate) to",
    r"(?:would|will|might|may) be (?:wrong|incorrect|a mistake|an error|a stretch|an overstatement|too much) to",
)
LACKING = (
    r"rather than|instead of|as opposed to|unlike|without|lack(?:s|ed|ing)?(?: of)?|absence of"
    r"|devoid of|free (?:of|from)|void of"
)

DOUBT = (
    # hard, impossible or unwilling to say
    rf"(?:hard|difficult|tough|tricky|impossible|challenging|not (?:possible|easy)"
    rf"|too \w+) (?:for \w+ )?to (?:\w+ly )?{_SAY}",
    r"hard to (?:judge|say|tell)|difficult to (?:judge|say|tell)|unable to|cannot|can't|could not"
    r"|couldn't|won't|wouldn't"
    r"|not able to|must decline|hesitat\w+|undecided|on the fence|rather not|against my policy",
    r"unclear|uncertain\w*|unsure|unknown|unconvinced|not (?:clear|certain|sure|known|convinced"
    r"|obvious|evident|enough)"
    r"|doubt(?:s|ful|ed)?|questionable|debatable|dubious|ambiguous|inconclusive|insufficient|unconfirmed|undetermined",
    r"remains? to be seen|anyone's guess|wonders?|who knows|question (?:is|mark)|your question|(?:may"
    r"|might) or (?:may|might)"
    r" not|you (?:asked|want|wish)|evidence (?:that|for|of) [^.,;]*(?=_)",
    r"(?:some|others|many|one|people) (?:would|might|could|may) (?:say|argue|think|see|call)|whether|not"
    r" (?:because|that|due to)\b|(?:\w+n't|not), [^,.;!?]{0,60},|(?:nothing|nobody|no one|none) (?:about|in|of)"
    r" [^.;!?\n]*",
)
"""Doubts hold over commas, to the end of the sentence or a word that turns it ("but", "probably")."""

UNREAL = (
    # conditions and suppositions
    r"if [^.;!?\n]*,[^.;!?\n]*\b(?:would|could|might)",
    r"(?:if|unless|suppos(?:e|ing)|assum(?:e|ing)|imagine|in case|had (?:he|she|they|it) been"
    r"|were (?:he|she|they|it))",
    r"(?:he|she|they|person|man|woman|one|anyone|someone|people|you|they|who) (?:would|should|could) "
    r"(?:then )?(?:be|look|seem|appear|feel|have)\b|would have been|would (?:mean|indicate|suggest|signal)",
    r"(?:should|ought to|supposed to|expect(?:ed|s)?(?: \w+){0,2} to|wants? to|wanted to|hop(?:es?|ed|ing) to"
    r"|wish(?:es|ed)? to|tr(?:y|ies|ied|ying)(?: hard)? to|used to|told(?: \w+)? to|asked(?: \w+)? to"
    r"|about to|going to"
    r"|will(?: soon)?|meant to|needs to) (?:be|look|appear|seem|feel|act|become|show)(?: more| less)?",
    r"rather (?!than)[^.;!?\n]*\bthan",
    r"because of [^.;!?\n]*\bwhich",
    # pretence and play
    r"pretend(?:s|ed|ing)?|fak(?:es?|ed|ing)|feign(?:s|ed|ing)?|simulat\w+|mimic\w*|mask of"
    r"|playing (?:the|a)|acting out"
    r"|(?:told|asked|paid|trained) to act|imitat\w+",
    # what others say or take it for
    r"(?:some|many|most|few|_{6}|people|viewers|observers|one|you|an untrained eye|somebody|someone"
    r"|critics)(?: \w+)? (?:would|might"
    r"|may|could|will|often|see|say|think|call|mistake)|annotators?|previous (?:model|answer|label)|ground truth",
    r"mistak(?:e|en|ing)(?: [^.,;]{0,40})?(?: for)?|mistook|confus(?:e|ed|able|ing) with|taken for"
    r"|misread|misinterpret\w*"
    r"|look(?:s|ed|ing)? for|search\w* for|likelihood|probability|chances?|at first (?:glance|sight)"
    r"|pass(?:es)? for|resembl\w+",
    # what is said to be a thing to say, and what others say
    r"(?:^|(?<=[.;!?\n] )|(?<=[.;!?\n]))(?:to (?:say|call|describe|label|speak of|claim|assume)|(?:calling"
    r"|describing|labell?ing"
    r"|saying|claiming|assuming|reading)\b)",
    # what is so in general
    r"(?:usually|typically|often|generally|commonly|normally|traditionally|in general|tends? to|associated with"
    r"|linked (?:to|with))",
    r"for (?:example|instance),?|e\.g\.|such as|options(?: \w+){0,2} (?:include|are)|one of the "
    r"(?:\w+ )?(?:options|labels|classes|emotions)(?: is)?|basic emotions?|defin(?:es?|ed|ing|itions?)"
    r"|when(?:ever)? (?:people|someone|one|you"
    r"|we|humans|persons)|(?:usually|typically|often|generally|commonly|normally|always"
    r"|sometimes) (?:means?|indicates?"
    r"|signals?|shows?|suggests?|expresses|accompan\w+|is|are)|can (?:also )?(?:mean|be (?:a "
    r"|the )?signs?|indicate|signal)"
    r"|(?:a|the) signs? of [^.,;]{0,9}in general",
    r"(?:must|may|might|could|would) have been|had been|used to|before (?:he|she|they) (?:became|become"
    r"|becomes|got|was)",
)

ELSEWHERE = (
    # quoted, written, named, or an example
    r"example(?: \w+){0,3}[:,]?|(?:format|template|schema|such as)\W*(?:\w+\W+){0,3}",
    r"(?:says|said|reads?|reading|saying|writes?|written|titled?|entitled|labell?ed|captioned|called|named|nicknamed|"
    r"mr|mrs|ms|miss|dr|film|movie|show|game|song|book|title of the clip is|plays)\.?:? (?:\w+ ){0,2}?[\"'“‘(]?",
    r"(?:the )?words? (?:\w+ )?[\"'“‘(]?",
    # a topic
    r"(?:talk|speak|lectur|discuss|writ|read|sing|ask|song|stor|book|essay|film|movie|class|lesson|speech|debate)\w*"
    r"(?: \w+){0,3}? (?:about|on|of|if|whether)(?: the| a)?",
    # somebody or something else
    r"(?:the|a|his|her|their|my) (?:\w+ )?(?:dog|cat|pet|animal|horse|bird|emoji|emoticon|poster"
    r"|statue|mascot|cartoon|doll"
    r"|narrator|friend|neighbou?r|brother|sister|colleague|boss|referee|music|song|melody|background"
    r"|wall|lighting|light"
    r"|weather|title|logo|painting|gearbox|colou?rs?|smiley)s?(?: on the \w+)?(?: (?:looks?|is|are"
    r"|seems?|appears?|has to be"
    r"|was|were|shows?|makes? \w+|gets?))?(?: a| very| so| rather)?",
    r"(?:tone|emotion|feel|feeling|look|mood|quality|palette|style) of the (?:\w+ )?(?:image|picture|photo|frame"
    r"|shot|scene"
    r"|footage|music|song|film|movie|room|background|painting|lighting) (?:is|was|seems|feels|appears|remains)"
    r"(?: \w+ly| very| quite| rather)?",
    r"(?:^|(?<=[.;!?\n,] )|(?<=[.;!?\n]))(?:the|this|that|a|it's a|it is a) (?:\w+ )?(?:scene|video|clip|image"
    r"|picture|footage|frame|sequence)s?"
    r"(?: (?:is|feels?|looks?|seems?|appears?|has)(?: \w+ly| very| quite| rather| a| an)?)?",
    r"(?:look|star|gaz|glanc|glar|peer|smil|shout|yell|point|nod|wav)\w* (?:\w+ )?at (?:the|a|an|another"
    r"|some)(?: \w+)?",
    r"(?:he|she|they|man|woman|boy|girl|person) (?:sees?|watches|meets|faces|hears|spots|finds) (?:the|a|an"
    r"|another|some)(?: \w+)?",
    r"(?:eyes|lips|brows|words) say|(?:more|rather) (?!_)\w+ than|(?<!_ )more than",
    r"(?:least(?: \w+)?|wrong|incorrect|second|secondary|alternative|another|previous|earlier|expected|unlikely|absent"
    r"|excluded|rejected|worst|opposite|possible|potential|default|usual|typical|frequent|common) (?:emotion"
    r"|label|answer|option|guess|class|category"
    r"|expression|choice|candidate)s? (?:is|was|are|would be)(?: an?)?",
    r"(?:first|second)(?: guess| thought| choice| impression)? was(?: an?)?|less(?: of)?(?: an?)?",
    r"(?:picture|photo|painting|drawing|poster|statue|sketch) of (?:a|an|the)(?: \w+)?",
    r"others?(?: say)?|so (?:is|are|was|has|have|does|do|can)|(?<!a )little|few",
    r"mak(?:es?|ing) (?:his|her|their|the|other|somebody|someone|everyone)(?: \w+){0,2}",
    r"tells? (?:\w+ ){1,3}(?:not )?to",
)

_THINGS = (
    "background backdrop wall walls grey gray color colour colors colours tone tones tint hue shade "
    "palette lighting light setting position clothing clothes shirt zone ground territory room party "
    "parties guest visit visitor gift present attack element factor announcement ending endings twist "
    "package test quiz trip box proposal inspection hour meal song songs music tune melody movie film "
    "films story stories book books scientist birds bird management joystick class classes birthday "
    "people persons folks crowd mob country party's family emoji emoticon dog cat food"
)

AFTER = (
    # denied right behind the mention
    r"\s*(?:expression |emotion |face |label |here )?(?:is|was|are|were|does|did|can|could|would"
    r"|should|seems?|appears?"
    r"|has been|have been|may|might|looks?)?(?: clearly| definitely| certainly| safely| be| quite"
    r"| also| probably| very)*"
    r"(?:\s+not\b(?! only| hidden| concealed)|n't\b|\s+(?:never|absent|missing|lacking|unlikely|doubtful|questionable"
    r"|debatable|dubious|impossible|wrong|incorrect|false|weak|unclear|unsupported|unconfirmed"
    r"|inaccurate|implausible|(?:be )"
    r"?(?:ruled out|excluded|rejected|dismissed|discarded)|out of the question|the wrong|an? (?:stretch|overstatement"
    r"|mistake|wrong|error)|no longer|hardly|anything but|far from)\b)",
    r"\s*(?:cannot|can't|could not|couldn't) be (?!hid|den|miss|mist|over|conceal|disguis|mask|contain|control)",
    r"\s*(?:is|was|are|were|seems?|looks?)? ?(?:considered|possible|conceivable|expected|discussed"
    r"|thinkable),? (?:but|yet"
    r"|and|though) (?:\w+ )?(?:rejected|dismissed|cannot|can't|not|unconfirmed|ruled|unlikely)",
    r"\s*(?:\w+ ){0,3}(?:is|are) (?:weak|thin|lacking|insufficient|missing)\b",
    r"[^.;!?\n]{0,20}\bbut (?:that|this|it) (?:would|could|might|is only|is just|may)\b",
    r"\s*(?:or not\b|or otherwise\b)|[^.;!?\n]{0,40}\bagainst (?:my|our|the) (?:policy|policies|guidelines|rules)",
    # a verdict on it: "happy: no", "angry - absolutely not"
    r"[\"'*_`]*\s*(?:[:=]|\s[-–—]\s|\|)\s*[\"'*_`]*(?:no|false|none|weak|thin|unknown|absent|n/a|(?:very |extremely "
    r"|quite )?(?:low|zero|minimal|unlikely|rejected|excluded|impossible|improbable|doubtful|unclear"
    r"|ruled out))\b",
    r"[\"'*_`]*\s*(?:[-–—:,(?=|]|\s)+\s*(?:[✗❌✘☐]|(?:(?:\w+ly )?not?|nope|never)\s*(?:$|[.,;!?\n)\]]))",
    # the word belongs to a thing, or to people in general
    rf"[\s\"']+(?:{_THINGS.replace(' ', '|')})\b",
    r"-(?!looking|faced|seeming|like|eyed)[a-z]+|-looking (?:dog|cat|clown|emoji|animal)|\s+in (?:tone|colou?r)\b",
    r"\s*(?:\w+ )?(?:person|people|man|woman|face|expression|individual|subject)? ?(?:would|should"
    r"|usually|typically|often"
    r"|generally)\b(?! be the (?:answer|label))",
    r"\s*(?:is|are) (?:usually|typically|often|generally|commonly|normally|one of|an? (?:basic"
    r"|universal|primary|emotion|"
    r"negative|positive))",
    r"\s*(?:at|with) (?:him|her|them|me|us|you|myself)\b",
    r"\s*(?:!=|≠)|\s*(?:he|she|they|it|the \w+) (?:is|was|are|were|does|did)(?: not|n't)\b",
    r"[^.;!?\n,]{0,40}\bif (?!i |we |you |one )",
    r"\s*as (?:he|she|they|it) (?:may|might|is)\b|\s*(?:he|she|they|it) (?:may|might) (?:be|look|feel)\b",
    r"\s*in (?:the|another|a|this) (?:book|script|story|novel|play|plot|other \w+)\b",
    # at another time
    r"\s*(?:before|earlier|beforehand|yesterday|previously|back then|once|last (?:week|night|year|time))\b",
    # said by somebody else: "..., the newsreader says"
    r"[^.!?;\n]{0,60},[\s\"']*(?:(?:the|a|an|his|her|my) (?:\w+ ){1,3}?|he |she |they )(?:says?|said|reports?"
    r"|claims?|tells|told|explains"
    r"|thinks|believes|recalls|writes)\b",
    # a question
    r"[^.!;\n]{0,80}\?",
)

_QUANTITY = re.compile(rf"\b(?:{'|'.join(NEGATION)})\b|(?:^|\s)un(?=-)")
_LACK = re.compile(rf"\b(?:{LACKING})\b")
_DOUBT = re.compile(rf"\b(?:{'|'.join(DOUBT)})")
_UNREAL = re.compile(rf"\b(?:{'|'.join(UNREAL)})\b")
_ELSEWHERE = re.compile(rf"(?:\b(?:{'|'.join(ELSEWHERE)})|\[\s?\]|[✗✘❌☐≠]|\bnot\s*:)\s*$|(?:^|\s)!$")
_GEAR = re.compile(r"\b(?:gearbox|car|lever|gear|transmission) (?:\w+ )?in\s*$")
_AFTER = re.compile("|".join(f"(?:{pattern})" for pattern in AFTER))
_BREAK, _STOPS = re.compile(BREAK), re.compile(_STOP)
_LACK_ENDS = re.compile(rf"{BREAK}|{CONCLUSION}")
_CONCEDED = re.compile(r"\b(?:although|though|while|whilst|albeit|despite|even if)\b[^.;!?\n]*$")
_WORD = re.compile(r"[\w']+")


def takes_back(before: str, after: str) -> bool:
    """Whether the words around a mention deny it, doubt it, suppose it, or say it of something else."""
    plain = NOT_NEGATIONS.sub(lambda found: "_" * len(found.group()), before)
    return (
        _AFTER.match(after) is not None
        or any(_reaches(plain, found, _BREAK, REACH) for found in _QUANTITY.finditer(plain))
        or any(_reaches(plain, found, _LACK_ENDS, REACH) for found in _LACK.finditer(plain))
        or any(_reaches(plain, found, _BREAK, None) for found in _UNREAL.finditer(plain))
        or any(_doubted(plain, found) for found in _DOUBT.finditer(plain))
        or _ELSEWHERE.search(plain) is not None
        or _GEAR.search(plain) is not None
    )


def _reaches(before: str, found: re.Match[str], ends: re.Pattern[str], most: int | None) -> bool:
    between = before[found.end() :]
    return ends.search(between) is None and (most is None or len(_WORD.findall(between)) <= most)


def _doubted(before: str, found: re.Match[str]) -> bool:
    """A doubt reaches the mention, unless a word turns the sentence or it was only conceded ("although ..., he is")."""
    between = before[found.end() :]
    if _STOPS.search(between) is not None:
        return False
    return not ("," in between and _CONCEDED.search(before[: found.start()]) is not None)
