"""The words that English prose about a face may consist of, each with its class: what is not here declines.

The ways to deny, doubt, suppose or quote are endless; the ways to say what somebody shows are few. So a sentence that
names an emotion counts only where its words stand in this table and their classes match one of the sentences of
`prose.py`. A word that is missing leaves a reply unread and never makes a hit, so words are added without danger as
long as they deny, doubt, quote and suppose nothing.
"""

from __future__ import annotations

import re

WORDS: dict[str, str] = {
    # who shows it
    "O": "he she they who",
    "u": "him them",
    "T": "it this that there these",
    "P": """man men woman women person persons boy boys girl girls child children kid baby toddler guy lady gentleman
        subject individual individuals speaker actor actress character protagonist figure teenager adult
        patient worker participant student teacher player couple family singer soldier officer doctor
        someone somebody male female reporter politician waiter chef nurse driver athlete musician
        performer contestant guest interviewee bride groom prisoner king queen princess warrior monk
        dancer coach judge lawyer""",
    "q": """his her their its man's woman's person's boy's girl's child's subject's individual's speaker's actor's
        actress's character's baby's lady's guy's patient's protagonist's teenager's""",
    "d": "a an the any some",
    # what is seen of them
    "F": """face faces eyes eye brow brows eyebrow eyebrows mouth lip lips jaw nose cheek cheeks teeth forehead
        features smile frown sneer scowl laugh laughter stare gaze glare grin smirk grimace tears tear
        voice posture body hands hand head chin muscle muscles eyelids lids shoulders gesture gestures
        movements movement demeanor demeanour behavior behaviour countenance corners corner fists nostrils
        squint pout wince contact language unit units action smiles cues cue evidence""",
    "M": "mood tone atmosphere way manner",
    "A": """expression expressions emotion emotions feelings state label class category option answer choice
        classification micro-expression sentiment prediction result conclusion description descriptor
        match fit reaction response affect verdict pick decision one""",
    "S": """sense sign signs display hint trace touch air example moment level degree wave kind type form mixture
        indicators indicator markers case instance confidence""",
    "L": "look looks looking looked",
    "V": """video clip frame frames image images picture clips videos footage sequence recording screen left right
        foreground center centre""",
    "K": """hair shirt jacket coat dress suit hat cap glasses sweater t-shirt tie blouse beard ponytail uniform room
        chair table couch sofa car bed bench window door kitchen office street floor ground desk wall
        garden park phone letter microphone outfit vest scarf hoodie clothes classroom counter cup plate
        bag curtain something what off-screen bathroom bedroom hospital forest restaurant stage train bus
        boat water rain snow tree grass lamp computer laptop mirror glass bottle food gift box stairs
        hallway corridor pillow blanket shoulder noise news package spider camera""",
    "a": """young old older younger elderly middle-aged bearded strong deep deepest visible pure genuine slight mild
        intense subtle obvious evident dominant primary main overall predicted detected clear distinct
        sheer great extreme real true certain definite unmistakable best correct final facial emotional
        appropriate fitting suitable likely prominent predominant displayed conveyed expressed shown
        portrayed depicted seen overwhelming profound palpable wide broad big bright warm cheerful small
        single black white red blue green brown yellow dark grey gray pink blond blonde long bald whole
        entire same excited tired frustrated upset irritated annoyed distressed shocked amazed content
        tearful pleased relaxed composed serious stern agitated concerned confused lonely exhausted
        focused attentive enthusiastic amused uneasy alarmed downcast gloomy inferred observed recognized
        recognised identified experienced underlying noticeable visual growing quiet total utter complete
        high heartfelt bitter burning raw restrained teary loud blank flat unilateral one-sided two
        restless watery calm contentment frustration irritation tiredness confusion downturned reflected
        revealed apparent matching evoked communicated emerging sincere""",
    "r": """very really quite clearly obviously visibly extremely deeply slightly somewhat genuinely truly definitely
        certainly absolutely undoubtedly probably mostly mainly primarily predominantly strongly rather
        fairly so more also then still now most especially just simply particularly intensely noticeably
        evidently unmistakably highly incredibly totally completely thoroughly utterly profoundly too
        indeed plainly pretty distinctly openly well accurately immediately suddenly all quietly softly
        loudly heavily directly broadly widely slowly brightly relatively consistently largely both only
        throughout here calmly gently warmly sharply firmly constantly continuously repeatedly briefly
        subtly gradually overwhelmingly emotionally audibly markedly notably genuinely-so freely steadily
        straight nearby silently""",
    # what they do
    "v": """is are was were 're 's seems seem seemed appears appear appeared feels feel felt remains remain remained
        stays stay stayed became becomes become gets""",
    "b": "be been being",
    "l": "like",
    "t": "to",
    "h": "with",
    "H": "has have had",
    "s": """shows show showed expresses express conveys convey displays exhibits exhibit suggests suggest indicates
        indicate signals reveals reveal reflects reflect implies denotes portrays depicts demonstrates
        means experiences radiates exudes betrays evokes wears maintains bears carries presents signal""",
    "g": """showing indicating suggesting expressing conveying displaying exhibiting signaling signalling revealing
        reflecting implying demonstrating feeling experiencing denoting portraying indicative suggestive
        giving wearing maintaining exuding radiating""",
    "G": """sitting standing walking talking speaking smiling crying laughing shouting yelling screaming sobbing
        frowning scowling staring trembling shaking grinning glaring gasping leaning holding turning
        pointing raising lowering lifting opening closing tightening pressing narrowing widening furrowing
        wrinkling clenching pursing drooping stretching dropping covering biting swallowing blinking
        wiping arguing squinting gesturing raised lowered furrowed narrowed widened open opened pressed
        clenched pursed drawn together apart dropped stretched wrinkled tightened parted tilted turned
        pulled pull down up back out upward upwards downward downwards upturned tense tight tensed
        squinted wrinkles raises lowers laughs cries shouts frowns stares stands sits speaks talks screams
        yells leans turns opens closes drops sobs gasps trembles nods grins glares sneers scowls smirks
        grimaces rises widen falls widens walks agape swollen wet running inner outer upper lower
        corrugator combination presence rolls purses furrows clenches squints narrows tightens presses
        covers bites wipes points shakes beaming dancing jumping hugging clapping playing moving away
        forward shut lit curled flared cast glistening bared activated active fixed slumped hunched
        crinkled puffed alone backs steps dressed long-haired seated facing shedding raise whimpers weeps
        weeping recoils recoiling yawning nodding sighing sighs bowed saw sees hears eye-contact hiding
        changes sinks darting stepping lying kneeling kneels pacing throws throwing slams slamming hitting
        punching eating drinking waving embracing hugs kissing holds gripping clutching clutches grips
        lifts listens listening watching watches fidgeting shrugging shrugs tapping touching touches
        rubbing crossing crossed folding folded shivering pushes pushing pulling leaning-in bursting
        breathing breathes stretches yawns stiffens freezes flinches flinching jumps gazes glances
        glancing tremble tears-up rolling wrinkled-up arched knitted scrunched scrunches squeezed curls
        curling puckered bulging talks""",
    # what joins the words
    "o": "of by about",
    "p": "in on at from through during across around into near behind beside over against among under for",
    "c": "and",
    "y": "or nor",
    "w": "which",
    "j": "as",
    "U": "while although though given despite",
    "B": "but however",
    "N": "not no neither without never nothing unlikely hardly barely none do does did",
    "R": "unlike lack absence",
    # the writer
    "I": "i we",
    "m": "would will can must should",
    "z": """say think believe guess choose select conclude call classify interpret describe categorize categorise
        characterize characterise identify rate infer read""",
    # what would take a sentence back, and marks
    "W": """if unless may might could whether perhaps maybe possibly other another others next previous earlier later
        last first second third once before after until yesterday formerly usually often typically
        sometimes generally movie film script story book novel dream song music joke game play acting acts
        act pretend pretends pretending fake feigned staged says said asks told according suppose imagine
        assume supposedly allegedly seemingly reportedly only-if otherwise else yet wait actually hmm why
        how when where you your my me us our unclear unknown uncertain unable impossible difficult hard
        hidden doubt opposite ironic ironically sarcastic mask poster statue painting caption subtitle
        subtitles title""",
}
"""The words of each class, a word in one class only. W is the class of words that a sentence may never hold."""

PHRASES: tuple[tuple[str, str], ...] = (
    ("r", r"overall$|from ear to ear"),
    ("s", r"keeps(?= an? )"),
    ("h", r"in(?= EMOTION)"),
    (
        "J",
        r"sure|certainly|of course|okay|ok|yes|therefore|thus|hence|so|in conclusion|in summary|to sum up|"
        r"in short|finally|overall|as a result|accordingly|in my (?:opinion|view)|in this case|"
        r"on the other hand|no doubt|surprisingly",
    ),
    (
        "Y",
        r"(?:in|throughout|during|from) (?:the|this) (?:whole |entire |short |provided |last |"
        r"final )?(?:video|clip|scene|image|frames?|sequence|footage|picture)s?(?: clip)?",
    ),
    (
        "J",
        r"here is (?:the|my) (?:answer|analysis|result|label|prediction)|there is (?:absolutely )?no (?:doubt|"
        r"question) that|without (?:a |any )?doubt|most (?:likely|probably)(?! (?:emotion|label|answer|"
        r"expression|category|class|option)\b)|it is (?:very |quite )?(?:clear|evident|obvious|apparent|"
        r"likely|safe to say) that|it can be (?:inferred|concluded|seen|observed) that|(?:we|you|"
        r"i) can (?:clearly )?(?:see|infer|conclude|say)(?: that)?|it (?:seems|appears|"
        r"looks)(?: to me)? (?:that|like|as if|as though)|i am (?:quite |very |fairly |pretty )?(?:sure|"
        r"certain|confident|positive|convinced)(?: that)?|i (?:would )?(?:think|believe|say|guess|conclude|"
        r"infer|argue)(?: that)?|(?:i|we) conclude(?: that)?|my (?:best )?guess is(?: that)?|"
        r"(?:i am )?not (?:entirely |completely |100 ?% )?(?:sure|certain), (?:but|however)|"
        r"i can not be (?:entirely |completely |100 ?% )?(?:sure|certain), but|(?:although|while|"
        r"though) (?:it is (?:hard|difficult) to be|i can not be|i am not) (?:entirely |completely |"
        r"100 ?% )?(?:sure|certain)|it is (?:hard|difficult) to tell from so few frames, but|"
        r"no other (?:label|emotion|option) fits|if i (?:had|have|were|was) (?:forced )?to (?:choose|pick|"
        r"guess|decide|select)(?: (?:one|a single))?(?: label| emotion)?|(?:out )?of (?:the |these |"
        r"all )?(?:\w+ )?(?:options|emotions|labels|categories|classes|choices)|among (?:the |"
        r"these )?(?:\w+ )?(?:options|emotions|labels|categories|classes)|based on the (?:provided|given) \w+|"
        r"after (?:analyzing|analysing|watching|reviewing) the (?:video|clip|frames)",
    ),
    (
        "A",
        r"my (?:final |predicted |own |chosen |best )?(?:answer|conclusion|guess|pick|label|choice|prediction|verdict|"
        r"classification|assessment)",
    ),
    (
        "N",
        r"far from|anything but|fails? to (?:look|seem|appear|be)|(?:stopped|stops) (?:being|looking)|"
        r"no longer|mistaken for|the opposite of",
    ),
    ("p", r"as (?:if|though)(?= \w+ing\b)|to(?= (?:the|his|her|a|an)\b)"),
    (
        "J",
        r"i (?:am|would be|will be) (?:very )?EMOTION to (?:help|assist)|i am EMOTION(?: that)?(?= (?:he|she|"
        r"it|the|this|that|i|we|not|so|you)\b)",
    ),
    (
        "a",
        r"that fits(?: best)?|that best (?:describes|fits|matches|captures|represents)"
        r"(?: (?:the|this)(?: \w+)?? (?:person|man|woman|video|clip|expression|face))?",
    ),
    ("v", r"(?<=answer )should be|(?<=label )should be|(?<=guess )would be"),
    ("a", r"(?:right|best)(?= (?:answer|label|option|class|category|emotion)\b)"),
    ("J", r"looking at (?:the|his|her|these) (?:\w+ )?(?:frames|video|expression|face|images)"),
    ("S", r"(?:textbook|typical|classic) (?:example|case|sign|expression)s?"),
    ("W", r"one of (?:the|his|her|these|those|many|several|seven)|(?<=EMOTION )(?:is|was|would be) an?"),
    ("a", r"(?:category|class|label|option)(?= EMOTION)"),
    ("G", r"(?:changes|moves) (?:very )?little"),
    ("z", r"(?:go|settle) (?:with|for|on)"),
    ("a", r"(?:that )?i (?:would )?(?:assign|detect|see|observe|choose|recogni[sz]e)(?= (?:is|would|here)\b)"),
    ("v", r"(?:is|are|be) in(?= an? EMOTION)"),
    (
        "W",
        r"(?:about|going|supposed|used|meant|said|known|ought|needs?|due|likely|bound|told) to|out of|as if|"
        r"as though|so as|at first|for (?:fun|show)",
    ),
    ("a", r"little(?= (?:boy|girl|child|kid|one|man|woman)\b)"),
    ("A", r"feeling(?= of\b)"),
    ("F", r"the other (?:eye|hand|side|half)"),
    ("K", r"EMOTION (?:backgrounds?|backdrop|colou?rs?|walls?|lighting|palette|party|music)"),
    (
        "D",
        r"(?:can|could|would|may) (?:best |also )?be (?:best |most accurately |well )?(?:described|classified|"
        r"labell?ed|categori[sz]ed|characteri[sz]ed|identified|summari[sz]ed)(?: as| by)?|(?:is|are|"
        r"was) (?:best |clearly |most accurately )?(?:described|classified|labell?ed|categori[sz]ed|"
        r"characteri[sz]ed|identified|rated)(?: as| by)",
    ),
    (
        "v",
        r"would (?:most likely |likely )?be|belongs? to|corresponds? to|points? to|is consistent with|"
        r"consistent with|matches|is giving|(?:is|are|was) feeling|(?:turns?|shifts?|changes?) (?:in)?to|"
        r"in a state of|(?:is|are) (?:an? )?(?:clear |strong )?(?:signs?|indicators?) of|(?:is|"
        r"are) (?:filled with|full of|contorted (?:with|in))|widen in|falls? open in|trembling with|"
        r"beaming with|shaking with|can be seen|could be seen",
    ),
    ("s", r"(?:can not|can barely|can hardly|barely) (?:hide|conceal|contain|suppress)|bursts? into|not hiding"),
    ("v", r"can not help but (?:look|feel)|comes across as"),
    (
        "k",
        r"as (?:indicated|shown|evidenced|suggested|seen|expressed|reflected|conveyed|demonstrated|"
        r"can be seen) (?:by|in|from|through)|because(?: of)?|since|judging (?:by|from)|due to|based on|"
        r"considering|shown by",
    ),
    (
        "X",
        r"no (?:other |strong |clear |visible |particular |distinct |significant |facial |"
        r"muscle )*(?:emotions?|expressions?|movements?)(?: (?:is|are))?(?: (?:visible|shown|present))?",
    ),
    ("r", r"a bit|a little|a lot|at all|to me|kind of|nothing but|not (?:only|just|merely|simply)"),
    (
        "a",
        r"(?:on|in|across) (?:his|her|their|the(?: (?:man|woman|person|boy|girl|child|subject|individual|"
        r"speaker|actor|actress|character)'s)?) (?:face|eyes|voice|expression)",
    ),
    ("R", r"rather than|instead of|as opposed to"),
    (
        "Q",
        r"(?:is|are|was|can be|seems?) (?:(?:clearly )?not (?:present|visible|seen|shown)|absent|ruled out|"
        r"excluded|unlikely(?! to))",
    ),
    (
        "Z",
        r"best (?:describes?|fits|matches|captures?|summari[sz]es)|fits (?:best|better|well)|is not hidden|"
        r"fills the room|stands out|dominates?|prevails?|(?<=EMOTION )(?:fits?|describes|matches|it is|shows|"
        r"remains|seems (?:most )?likely)",
    ),
)
"""Phrases and the class of the whole; they are looked for before single words. EMOTION stands for a mention."""

MENTION = "[\ue000-\uf8ff]"
"""A mention of an emotion is written as one of these characters before a sentence is cut into words."""

CLASS_OF: dict[str, str] = {word: name for name, words in WORDS.items() for word in words.split()}

_KNOWN = "|".join(
    rf"(?P<{name}{n}>(?<![\w'-])(?:{words.replace('EMOTION', MENTION)})(?![\w'-]))"
    for n, (name, words) in enumerate(PHRASES)
)
TOKEN = re.compile(
    rf"{_KNOWN}|(?P<mention>{MENTION})|(?P<unit>\bau ?\d+)|(?P<word>[^\W\d_](?:[\w'-]*\w)?|'s\b)"
    r"|(?P<box>\[\s*\])|(?P<number>\d*\.?\d+)\s*(?P<percent>%?)"
    r"|(?P<comma>[,():—–\[\]{}+&=|]|(?<=\s)-+(?=\s)|/)|(?P<odd>\S)"
)
"""The parts of a sentence: known phrases first, then mentions, words, numbers and marks."""
