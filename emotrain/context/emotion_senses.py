"""Where a word of emotion names none: FACS and the picture use some of the same words for muscles, poses and light.

"Tense lips", "tension around the eyes", "neutral head pose", "returns to neutral", "irritated skin", "sadly the video
is dark". A match of the lexicon that lies in one of these passages is no leak; "looks tense" and "neutral face" are.
"""

from __future__ import annotations

import re

_PART = (
    r"(?:lips?|mouth|eyes?|eyelids?|lids?|brows?|eyebrows?|jaw(?:line)?|chin|cheeks?|forehead|nostrils?|nose|glabella|neck"
    r"|shoulders?|muscles?|orbicularis|corrugator|frontalis|mentalis|zygomaticus|masseters?|platysma|lip corners?"
    r"|mouth corners?|corners?|skin|eye region|mouth region|brow region|throat|temples?)"
)
_HOW = r"(?:(?:\w+ly|very|more|less|somewhat|rather|quite|visibly|a bit|a little|both|all|also|still|again|then|and) ){0,3}"
_VERB = (
    r"(?:(?:is|are|was|were|be|being|been|look|looks|looked|appear|appears|appeared|seem|seems|seemed|become|becomes|became"
    r"|remain|remains|remained|stay|stays|stayed|get|gets|grow|grows|turn|turns|go|goes|feel|feels|keep|keeps|hold|holds"
    r"|show|shows|showing|with|has|have|at|in|to|of|held|kept|to be) ){0,3}"
)
_THE = r"(?:(?:the|a|an|his|her|their|its|this|that|both|each|left|right|upper|lower|inner|outer|some|more|slight) ){0,4}"
_TENSE = r"(?:tens(?:e|ed|er|es|est|ing|ely|eness|ion|ions))"
_BODILY = rf"(?:{_TENSE}|neutral(?:ly|ity)?|depress(?:ed|es|ing|ion)?|agitat(?:ed|ion)|restless|irritat(?:ed|ion))"
"""Words that muscles and skin share with feelings; only with a part of the face beside them."""

_PERSON = r"(?:he|she|they|it|who|person|man|woman|actor|actress|speaker|child|girl|boy|subject|face|expression)"
_LOOKS = r"(?:looks?|looking|seems?|appears?|feels?|feeling|becomes?|gets?|is|are|was|were)"

HARMLESS = re.compile(
    "|".join(
        (
            # "the lips are slightly tense", "brows remain neutral", "jaw muscles tense"
            rf"\b{_PART} (?:muscles? |corners? |region |area )?{_HOW}{_VERB}{_HOW}{_THE}{_BODILY}\b(?! (?:expression|face|mood)\b)",
            # "tension around the eyes", "tensing of the jaw", "neutral position of the mouth"
            rf"\b{_BODILY} (?:is |visible |seen |builds |appears |remains |increases |position |contraction )?"
            rf"(?:in|around|of|at|across|between|along|over|near|above|below|under|beneath|on|through) {_THE}(?:\w+ )?{_PART}\b",
            # "tense, pressed lips", "a neutral mouth", "tension lines"; not "looks tense, lips pressed"
            rf"(?<!looks )(?<!look )(?<!seems )(?<!appears )(?<!feels )(?<!is )(?<!gets )(?<!becomes )\b{_BODILY},? "
            rf"(?:and )?(?:\w+,? ){{0,2}}?{_PART}\b",
            rf"\b(?:muscular|muscle|facial|lid|lip|jaw|brow|skin|eyelid|muscle tone) {_TENSE}\b|\b{_TENSE} lines?\b",
            rf"\b{_TENSE} {_THE}{_PART}\b",
            r"\b(?:lip corner|corner|angle|septi|labii|supercilii) depress(?:ed|ion|ing|or)\b",
            # "neutral head pose", "returns to neutral", "against a neutral background"
            r"\bneutral(?:ly|-coloured|-colored)? (?:head|pose|position|posture|stance|orientation|alignment|gaze|tilt|angle"
            r"|state of the|resting|rest|line|zone|background|backdrop|wall|light|lighting|lit|colou?rs?|tones?|gr[ae]y|grey"
            r"|white|beige|clothing|shirt|balance|density|frame|shade|setting|environment|camera|axis|configuration"
            r"|colou?red)\b",
            r"\b(?:back |return(?:s|ed|ing)? |go(?:es|ing)? |move[sd]? |moving |relax(?:es|ed|ing)? |reset(?:s|ting)? |settl(?:es|ed|ing) |drop[sp]?\w* )(?:back )?"
            r"(?:in)?to (?:(?:a|an|the|its|their|his|her|more) )*neutral(?! (?:expression|face|mood|emotion|look|feeling)\b)",
            r"\b(?:from|toward|towards|near|past|beyond|relative to|compared to|than|at|in) (?:the |a )?neutral"
            r"(?= (?:frame|baseline|position|pose|point|state)\b|[,.;:]|$)",
            # light and colour have moods, the person may have another
            r"\b[a-z]+(?:,? (?:and )?[a-z]+)? (?:lighting|light|lights|shadows?|colou?rs?|palette|background|backdrop|weather)\b",
            rf"\b{_PART} (?:\w+ ){{0,2}}tensely\b",
            # skin and eyes
            r"\birritat(?:ed|ion)(?: of| on| in| around)? (?:the )?(?:skin|eyes?|eyelids?|lids?|patch|spot|area|red)\b",
            r"\b(?:skin|eyes?|eyelids?|lids?|red(?:ness)?|itchy|patch) (?:is |are |looks? |appears? |and |or )*(?:slightly )?irritat(?:ed|ion)\b",
            # a comment on the picture, not on the person
            r"(?:^|(?<=[.;!?] )|(?<=[.;!?]))(?:sadly|happily|gladly|unhappily|regretfully|pitifully|hopefully|thankfully"
            r"|annoyingly|frustratingly|disappointingly|surprisingly|amazingly|astonishingly|shockingly|worryingly|alarmingly)"
            rf"\b(?:,| (?!{_PERSON}\b(?! is| was| cannot| can)|{_LOOKS}\b))",
            r"\b(?:sadly|hopefully|thankfully|surprisingly|amazingly|disappointingly|happily)(?:,| the| it| this| that| there| we| no| not"
            r"| too| i| none| nothing| dark| blurr?y| bright| fast| slow| small| short| large| little| quick(?:ly)?)\b",
            r"\b(?:surprisingly|amazingly|astonishingly|alarmingly|shockingly|annoyingly|terrifyingly|disappointingly)"
            r" (?!(?:smil|grin|angr|happ|sad)\w*)\w+\b",
            r"\bhopes? (?:this|that|it|you|to)\b|\b(?:i'm|i am) (?:afraid|glad|happy|pleased|sad|delighted) (?:i|that|to|it|there|the|this|we)\b",
            r"\b(?:happy|glad|pleased) to (?:help|assist|describe|provide)\b|\bit is a pity\b|\bno wonder\b",
            # things of the same name
            r"\b(?:smile|laugh|laughter|frown|worry|stress|grin) (?:lines?|folds?|creases?|wrinkles?|marks?)\b|\bcrow's feet\b",
            r"\b(?:alarm (?:clock|bell|system|button)|fire alarm|shock of (?:\w+ )?hair|bas[- ]relief|in (?:sharp |high |low )?relief"
            r"|in isolation|isolation of|great depression|colou?r temper\w*|temper(?:ed|ing) (?:glass|light)|hope chest|tension (?:rod|band))\b",
            r"\b(?:surface|rope|string|thread|cable|strap|collar|fabric|cloth|hair|scarf) (?:is |are |under |with )?(?:in )?tens(?:e|ion)\b",
        )
    ),
    re.IGNORECASE,
)
