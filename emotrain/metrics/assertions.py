"""How English prose says that a person or a face shows an emotion; what is said in no such way is no answer.

The ways to deny, doubt, suppose or quote are endless; the ways to say what somebody shows are few. So a word of emotion
in prose counts only where every word of its clause before it is in the small vocabulary below, and

| the clause | for example |
|-|-|
| has a verb of showing before the word | "The man clearly looks angry", "this suggests a sense of fear" |
| has the word as its subject, and says that it is seen | "Sadness dominates", "her joyful laughter fills the room" |
| is nothing else | "Most likely sadness.", "pure joy" |
| says how somebody does something | "he faces the crowd with contempt" |

and no noun of another thing follows ("an angry wasp"). A clause begins with a sentence, a comma or a conjunction; one
that goes on with a list or an "and" begins where the list does.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VERBS = _words(
    """is are was were 's 're it's that's he's she's they're there's i'd look looks looked seem seems seemed appear
        appears appeared feel feels felt remain remains remained stay stays stayed became becomes becoming get
        gets grow grows turns show shows showed showing express expresses expressed expressing convey conveys
        conveyed display displays displayed exhibit exhibits suggest suggests suggested indicate indicates
        indicated signals reveal reveals reflect reflects implies denotes portrays depict depicts demonstrates
        experiences points point fits matches corresponds belongs has have having give gives radiates betrays
        think believe say guess choose chose pick select go answer call classify label interpret describe
        categorize categorise characterize characterise identify rate recognize recognise settle opt vote read
        see hide hiding conceal contain makes maintains maintain maintained maintaining keeps kept holds wears
        bears carries adopts presents present exudes emanates sports evokes stares shouts smiles cries laughs
        screams frowns sits stands speaks mean means am i'm"""
)
"""Verbs that say that somebody shows, or that the writer decides for, what follows."""

PERSONS = _words(
    """man woman person boy girl child kid baby guy lady gentleman subject individual speaker actor actress character
        protagonist figure teenager adult patient participant student teacher player women men soldier officer
        doctor host singer bride groom individual's he she they who someone somebody"""
)
FACE = _words(
    """expression expressions emotion emotions emotional facial feeling feelings face faces look looks smile frown
        sneer scowl laugh laughter stare gaze eye eyes brow brows eyebrow eyebrows mouth lip lips jaw nose
        cheeks teeth forehead features demeanor demeanour mood state affect countenance appearance reaction
        response label class category option answer choice display sign signs sense tone voice tears body
        language posture micro-expression contact head chin muscles smirk grimace grin glare pout wince squint
        gestures gesture lids eyelids voice breathing shoulders hands"""
)
LIGHT = _words(
    """a an the this that these those his her its their our my it i we which there to be been being of in on with
        without as like out away for by from at and or but not no n't so if though than very quite rather most
        more just somewhat indeed also still now then too pretty first fact course likely best final clear
        strong deep deepest visible pure genuine slight mild intense subtle obvious evident dominant primary
        main overall predicted detected young old older younger little middle-aged bearded second utter sheer
        great extreme real true certain definite unmistakable distinct raised lowered correct right one-sided
        unilateral wide broad big short sudden brief fleeting possible probable apparent whole entire same only
        open tense pressed furrowed narrowed clenched downcast described classified labelled labeled identified
        categorized categorised characterized characterised consistent feeling displaying conveying experiencing
        looking indicative suggestive typical hint touch trace mixture moment level degree full filled both
        something him them me all bit lot were would could can can't cannot may might must will d 'd ll perhaps
        maybe probably clearly i'd because since while although yet however instead well here finally throughout
        conclusion short summary end hand other each kind type form video clip frame frames image picture scene
        sequence footage evidence cue cues signals markers combination pattern movement movements change absence
        lack presence lifting raising lowering wrinkled wrinkles wrinkling behaviour behavior impression guess
        prediction assessment description descriptor verdict fit match result bright warm cheerful gloomy given
        based judging opinion view yes hmm okay concluded
        inferred deduced fitting upset bursts into burst ok nothing doubt question positive sure confident
        convinced certain safe conclude suspect argue infer does do did had good help not-only one two shown
        seen conveyed displayed depicted irritated annoyed frustrated agitated distressed tired exhausted
        pleased amused excited relaxed composed serious shocked uneasy confused concerned lonely depressed
        tearful emotional devastated heartbroken desperate hence thus therefore thereby manner way profound
        palpable overwhelming growing rising quiet silent restrained barely bitter burning raw heartfelt
        outright widening narrowing tightening furrowing clenching pursing drooping arching tilting parting
        action unit units muscle rest down up around back lower lowers rises closes scowling smiling crying
        laughing frowning shaking trembling s b c e f g h next assistant text textbf neither nor either
        definitely has-been contracted dropped corners inner outer upper drawn together apart better candidate
        stretched shift position hidden concealed disguised suppress control contain restrain eyed gaze's quick
        long every any some such much rate hard difficult tell"""
)
_CLAIMS = _words(
    """dominates dominate prevails prevail shows show fits fit wins radiates fills stands comes takes crosses spreads
        flashes remains describes matches written deepens grows appears emerges follows lingers"""
)
"""What an emotion does that is seen."""

VOCABULARY = VERBS | PERSONS | FACE | LIGHT
_FOLLOWS = (
    FACE
    | PERSONS
    | _CLAIMS
    | _words(
        """and or but because since as when while with in on at about over by from than rather instead though
        although is are was were here now then throughout during towards toward to for after before due given
        again too also indeed that which who not so of if most shown expressed displayed enough all through
        himself herself it best more the his her well seems looks man woman person boy girl child unlike him into
        upon like i he she they may might could would can along despite without per until there"""
    )
)
_THINGS_OF_A_KIND = PERSONS | FACE

_WORD = re.compile(r"[^\W\d_][\w'-]*|'s\b|'re\b|'d\b")
_TOKENS = re.compile(r"</?\|?\w+\|?>")
_SENTENCE = re.compile(r"[.;!?\n](?!\d)")
_CLAUSE = re.compile(
    r"(?P<joins>(?<!\d),|: |\band\b|\bor\b)|[—–]|\s-\s|\b(?:but|so|because|however|yet|while|although|though"
    r"|where|whose)\b"
)
_SENTENCE_OR_COMMA = re.compile(r"(?:^|[.;!?\n,:]|\b(?:and|but|so))\s*$")
_PLACED = re.compile(
    r"\s*(?:in|at|on|against|behind|during|after|by|with|from|throughout|despite|instead of"
    r"|rather than)\b[^,:]*?\b(?P<main>(?:he|she|they|it|the (?:\w+ )?(?:man|woman|person|boy|girl"
    r"|child|face|expression|emotion)) (?:\w+ly )?(?:is|looks?|seems?|appears?|shows?|feels?|expresses"
    r"|displays|remains)\b.*)$"
)
"""A place or time in front: "against a grey wall the man looks afraid"."""
_IS_THE_LABEL = re.compile(
    r"[\s\"'*_`]*(?:is|are) (?:\w+ly )?(?:conveyed|shown|expressed|visible|evident|apparent|seen|displayed"
    r"|written|reflected|clear|obvious"
    r"|palpable|on display)\b(?! (?:on|in|by) (?:the|a) (?!face|man|woman|person|subject|expression|eyes|boy"
    r"|girl|character|video|clip))"
    r"|[\s\"'*_`]*(?:is|would be|seems|appears to be) (?:clearly |probably |likely )?(?:the|my) (?!last|least"
    r"|wrong|second)(?:\w+[- ]){0,3}?(?:emotion|label|answer|category|class"
    r"|option|match|fit|description|choice|classification|expression|prediction)\b"
)
_ALSO_SHOWS = re.compile(
    r",\s*(?:(?:which|thus|thereby|clearly|all|strongly|likely|probably) )*(?:indicating|suggesting|conveying"
    r"|showing|expressing"
    r"|displaying|looking|appearing|seeming|feeling|signal{1,2}ing|revealing|reflecting|implying|demonstrating"
    r"|exhibiting|pointing to|denoting)\b(?P<what>[^,.;:]*)$"
)
"""What somebody does, and what it shows: "she wipes her eyes, indicating a sense of sadness"."""
_MOVES = re.compile(
    r"\b(?:expression|face|mood|emotion|demeanou?r|he|she|man|woman|boy|girl|person)s? (?:\w+ly )?(?:then |also"
    r" )?(?:shifts?|changes?|turns"
    r"|transitions?|switches|shifted|changed|turned)(?: from (?:a |an )?[\w ]{1,30})? (?:in)?to (?:one of |a"
    r" look of |an? )?$"
)
"""A face that becomes something: "her expression shifts to fear"."""
_WITH_A = re.compile(r"\bwith (?:a|an) (?:\w+ly |very )?$")
_FACE_DOES = re.compile(
    r"\b(?:face|mouth|nose|lips?|eyes|brows?|eyebrows|jaw|voice|features)\b [^,;]*\b(?:with|in) (?:\w+ly |pure "
    r"|sheer |utter )?$"
    r"|\b(?:trembling|shaking|reacting|screaming|shouting|staring|recoiling|grinning|glaring|looking|gasping"
    r"|sobbing|crying|laughing)"
    r" (?:\w+ ){0,4}?(?:with|in|out of) (?:\w+ly |pure |sheer |utter )?$"
)
"""What a face or somebody does in it: "her mouth falls open in surprise", "trembling with fear"."""
_LOOKS = _words("expression look demeanor demeanour tone voice manner smile frown mood air countenance gaze stare")
_NO_FACE = _words("sign signs display option label class category choice response answer state contact")
_FIELD = re.compile(r"(?:^|[\n.;!?])[\s>#*_`\"'-]*(?P<key>[^\n.:;!?,]{1,40}?)[\s*_`\"']*:[\s*_`\"'(\[]*$")
"""What a line says the word behind its colon is: "Scene: sad"."""
_OTHER_FIELDS = _words(
    "scene tone picture image video clip footage not other second candidate movement hidden absence lack possible"
)
_IN_ITS_PLACE = re.compile(r"(?:^|[\n.;!?]\s*)not (?:an? )?_+: $")
"""What another word takes the place of: "Not fear: anger." (mentions are blanked)."""
_ADJECTIVE = re.compile(r"[a-z-]+(?:ing|ed|y|en|ful|ive|ish|less|ous|ent|ant|al)")
_REST = re.compile(
    r"[,(:—–{\[]|\b(?:because|since|as|but|and|or|than|rather|instead|unlike|who|that|though|although"
    r"|while|when)\b|\s-"
)
_NUMBER = re.compile(r"[\s\"'*_`]*(?:[:=({\[]|score)[\s:=({\[]*(?P<number>\d*\.?\d+)\s*(?P<percent>%?)")

_HOW = re.compile(
    r"(?:^|[,;]\s*|\b(?:shows|depicts|features|captures) )(?:he|she|they|(?:the|a) (?:\w+ )?(?:man|woman|person|boy"
    r"|girl|child)) [^,;]*\b(?:with|in|out of"
    r"|full of) (?:\w+ly |great |such |his |her )?$"
)
"""How somebody does something: "he faces the crowd with contempt"."""


def asserts(before: str, after: str) -> bool:
    """Whether the clause around a mention says that somebody shows it; `before` and `after` are in lower case."""
    field = _FIELD.search(before)
    if field is not None and not (_names_an_answer(field["key"]) or _IN_ITS_PLACE.search(before) is not None):
        return False
    before, after = _TOKENS.sub(" ", before), _TOKENS.sub(" ", after)
    before = re.sub(r"\([^()\n]*\)", " ", before)
    number = _NUMBER.match(after)
    if number is not None and float(number["number"]) < (50 if number["percent"] else 0.5):
        return False
    follow = _WORD.match(after.lstrip(" \"'*_`)]}->"))
    attached = re.match(r"[\s\"'*_`)\]}\->]*(?=[a-z])", after) is not None
    if attached and follow is not None and not _known(follow.group(), _FOLLOWS):
        return False
    if after_claims(before, after):
        return True
    clause = clause_of(before)
    words = _WORD.findall(clause)
    if _WITH_A.search(clause) and follow is not None and follow.group() in _LOOKS and _somebody(before):
        return True
    if _HOW.search(clause) or _MOVES.search(clause):
        return True
    shown = _ALSO_SHOWS.search(before)
    if shown is not None and _somebody(before[: shown.start()]):
        return all(_known(word, VOCABULARY) for word in _WORD.findall(shown["what"]))
    if _FACE_DOES.search(clause) and _somebody(before):
        return True
    if not all(_known(word, VOCABULARY) or _of_a_face(words, n) for n, word in enumerate(words)):
        return False
    if any(word in VERBS for word in words):
        return True
    rest = _WORD.findall(_REST.split(_SENTENCE.split(after, maxsplit=1)[0], maxsplit=1)[0])
    while rest and rest[0] in _THINGS_OF_A_KIND - _CLAIMS:
        rest = rest[1:]
    return (bool(rest) and rest[0] in _CLAIMS) or all(_known(word, VOCABULARY | _CLAIMS) for word in rest)


def after_claims(before: str, after: str) -> bool:
    """Whether a mention begins its clause and does something that is seen: "..., disgust remains"."""
    begins = _SENTENCE_OR_COMMA.search(before.rstrip(" \"'*_`"))
    if begins is not None and _IS_THE_LABEL.match(after) is not None:
        return True
    found = _WORD.match(after.lstrip())
    return found is not None and begins is not None and found.group() in _CLAIMS


def clause_of(before: str) -> str:
    """The clause that a mention ends; one without a verb behind a comma or "and" goes on with what is before it."""
    start = max((found.end() for found in _SENTENCE.finditer(before)), default=0)
    sentence = before[start:]
    cuts = list(_CLAUSE.finditer(sentence))
    for cut in reversed(cuts):
        clause = sentence[cut.end() :]
        if cut["joins"] is None or any(word in VERBS for word in _WORD.findall(clause)):
            return clause
    placed = _PLACED.match(sentence)
    return sentence if placed is None else placed["main"]


def _somebody(before: str) -> bool:
    """Whether the sentence so far speaks of a person or a face."""
    return any(word in PERSONS | FACE for word in _WORD.findall(_SENTENCE.split(before)[-1]))


def _names_an_answer(key: str) -> bool:
    """Whether the name before a colon is one of what somebody shows; a name of many words is a sentence of its own."""
    words = _WORD.findall(key)
    if len(words) > 5:
        return True
    somebody_else = "__" in key and any(word in PERSONS for word in words)  # "the other man", blanked
    return not somebody_else and all(_known(word, VOCABULARY) and word not in _OTHER_FIELDS for word in words)


def _of_a_face(words: list[str], place: int) -> bool:
    """Whether a word is an adjective before a part of the face or body: "a piercing stare", "watery eyes"."""
    return (
        place + 1 < len(words)
        and words[place + 1] in FACE - _NO_FACE
        and _ADJECTIVE.fullmatch(words[place]) is not None
    )


def _known(word: str, words: frozenset[str]) -> bool:
    return (
        word in words
        or (word.endswith("ly") and len(word) > 4)
        or not word.strip("_'-")
        or (word.endswith("'s") and word[:-2] in PERSONS)
    )
